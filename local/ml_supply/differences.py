"""In which files two images differ, and in what of them. It builds none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ml_local.oci_layout import Layout

from ml_supply import layers

MOST = 20
"""Lines about one layer: after these the cause is known."""


def between(first: tuple[Layout, str], second: tuple[Layout, str]) -> list[str]:
    """A line for each difference of two images, of which each is a layout and the digest of a manifest."""
    (one, configuration), (other, configuration_again) = _read(*first), _read(*second)
    found = [f"configuration: {line}" for line in _values("", configuration, configuration_again)]
    found += [f"manifest: {line}" for line in _values("", one.get("annotations"), other.get("annotations"))]
    pairs = list(zip_longest(one["layers"], other["layers"]))
    for number, (layer, again) in enumerate(pairs, start=1):
        place = f"layer {number} of {len(pairs)}"
        if not (layer and again):
            found.append(f"{place}: {_only(in_first=again is None)}")
        elif layer["digest"] != again["digest"]:
            lines = list(_files(first[0].blob(layer["digest"]), second[0].blob(again["digest"])))
            more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
            found += [f"{place}: {line}" for line in (*lines[:MOST], *more)]
    return found or ["the manifests, and nothing that they name"]


def _read(layout: Layout, digest: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A manifest and its configuration, without the layers' digests, since layers are compared by their files."""
    manifest = json.loads(layout.blob(digest).read_bytes())
    configuration = json.loads(layout.blob(manifest["config"]["digest"]).read_bytes())
    return manifest, {key: value for key, value in configuration.items() if key != "rootfs"}


def _files(first: Path, second: Path) -> Iterator[str]:
    one, other = _members(first), _members(second)
    for path in sorted({*one, *other}):
        if path not in one or path not in other:
            yield f"{path}: {_only(in_first=path in one)}"
        elif differing := [key for key, value in one[path].items() if other[path][key] != value]:
            yield f"{path}: {', '.join(_told(key, one[path][key], other[path][key]) for key in differing)}"
    if one == other:
        yield "the same files, in another order" if list(one) != list(other) else "the same files, packed otherwise"


def _members(blob: Path) -> dict[str, dict[str, object]]:
    return {
        member.name: {
            "type": member.type,
            "mode": f"{member.mode & 0o7777:04o}",
            "owner": f"{member.uid}:{member.gid}",
            "mtime": int(member.mtime),
            "target": member.linkname,
            "attributes": sorted(member.pax_headers.items()),
            "bytes": hashlib.sha256(layers.content(member, archive)).hexdigest(),
        }
        for member, archive in layers.members(blob)
    }


def _told(key: str, one: object, other: object) -> str:
    return key if key == "bytes" else f"{key} {one} and {other}"


def _only(*, in_first: bool) -> str:
    return f"only in the {'first' if in_first else 'second'} build"


def _values(place: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from _values(f"{place}.{key}".lstrip("."), one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from _values(f"{place}.{number}", *pair)
    elif one != other:
        yield f"{place} {one!r} and {other!r}"
