"""Which images a bundle uses: for mirroring them, and for knowing what runs.

It finds references wherever releases hide them: pods, args, env, JSON and YAML in strings, templates, custom resources,
annotations. What a controller makes up at run time stands in no object; those are the entry's `runtime_images`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import yaml

from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.kinds import DEFINITION, built_in
from ml_platform.bundles.parse import Object, title

_NAME = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_TAG = r":[A-Za-z0-9_][\w.-]{0,127}"
_DIGEST = r"@sha256:[0-9a-f]{64}"
_VERSION = rf"(?:{_TAG})?(?:{_DIGEST})?"
_REFERENCE = re.compile(rf"^(?:[\w.-]+(?::\d+)?/)?{_NAME}(?:/{_NAME})*{_VERSION}$")
_INSIDE = re.compile(  # of other text: a registry's host and a version or digest tell it from anything else
    rf"(?<![\w./@-])(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::\d+)?(?:/{_NAME})+(?:{_TAG}(?:{_DIGEST})?|{_DIGEST})"
)
_IN_TEMPLATE = re.compile(rf"\bimage:\s*[\"']?((?:[\w.-]+/)*{_NAME}{_VERSION})[\"']?\s*$", re.MULTILINE)
_POD = re.compile(r"ontainers\.\d+\.image$")
_FIELD = re.compile(r"image(_v\d+)?$", re.IGNORECASE)
_EXAMPLE = "_example"  # Knative's key for what could be said
_NO_IMAGES = frozenset({"", "auto"})  # `auto`: Istio's injector fills it in


@dataclass(frozen=True, order=True)
class Use:
    """One image at one place of a bundle."""

    image: str
    bundle: str
    at: str
    by: Literal["pod", "text", "controller"]
    """Who uses it: a pod of the release, whoever reads what names it, or a controller when `at` says."""


def uses(entry: Entry, objects: Iterable[Object]) -> list[Use]:
    """Every use of an image in a release."""
    named = [
        Use(image, entry.title, f"{title(item)}: {path}", "pod" if _POD.search(path) and built_in(item) else "text")
        for item in objects
        for path, image in in_object(item)
    ]
    return named + [Use(each.image, entry.title, each.why, "controller") for each in entry.runtime_images]


def summary(found: Iterable[Use]) -> list[dict[str, Any]]:
    """One row an image: who uses it and where, whether only when there is work, and whether its reference is pinned."""
    rows = []
    for image, group in groupby(sorted(found), key=lambda use: use.image):
        each = list(group)
        users = {use.by for use in each}
        rows.append({
            "image": image,
            "bundles": sorted({use.bundle for use in each}),
            "run_time_only": "pod" not in users,
            "pinned": pinned(image),
            "at": [use.at for use in each if use.by != "controller"],
            "why": [use.at for use in each if use.by == "controller"],
        })  # fmt: skip
    return rows


def pinned(image: str) -> bool:
    """Whether a reference always means the same image, as far as a tag can promise that."""
    return "@sha256:" in image or _tag(image) not in ("", "latest")


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]


def in_object(item: Object) -> Iterable[tuple[str, str]]:
    """The images that `item` names, each with its path. The examples in the schemas of a CRD are none."""
    return _walk(item, "", {}) if item["kind"] != DEFINITION else ()


def _walk(value: Any, path: str, pieces: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """`pieces` are the hub and the tag that the values of a chart say once for all images below."""
    if isinstance(value, Mapping):
        pieces = {**pieces, **_pieces(value.get("global")), **_pieces(value)}
        variable = str(value.get("name", "")) if isinstance(value.get("value"), str) else ""
        for key, child in value.items():
            if key == "image" and isinstance(child, str):
                child = _whole(child, value, pieces)
            below = f"{path}.{variable if variable and key == 'value' else key}".lstrip(".")
            yield from _walk(child, below, pieces) if key != _EXAMPLE else ()
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}.{index}", pieces)
    elif isinstance(value, str):
        yield from ((path, image) for image in _in_text(value, path))


def _pieces(value: Any) -> Mapping[str, str]:
    if isinstance(value, Mapping) and value.get("hub") and value.get("tag"):
        return {"hub": str(value["hub"]), "tag": str(value["tag"])}
    return {}


def _whole(image: str, beside: Mapping[str, Any], pieces: Mapping[str, str]) -> str:
    """A reference that stands in pieces: its hub and tag elsewhere, or its version beside it."""
    version = beside.get("version") or beside.get("defaultImageVersion")
    if pieces and "/" not in image and image not in _NO_IMAGES:
        return f"{pieces['hub']}/{image}:{pieces['tag']}"
    return f"{image}:{version}" if isinstance(version, str) and "/" in image and not _tag(image) else image


def _in_text(text: str, path: str) -> Iterator[str]:
    if _FIELD.search(path) and _REFERENCE.match(text):
        if text not in _NO_IMAGES:
            yield text
        return
    inner = _structure(text)
    if inner is not None:
        yield from (image for _, image in _walk(inner, "", {}))
    else:
        yield from _INSIDE.findall(text)
        yield from (image for image in _IN_TEMPLATE.findall(text) if image not in _NO_IMAGES)


def _structure(text: str) -> Any:
    """What a text holds, if that is JSON or YAML of more than one value."""
    if not text.lstrip().startswith(("{", "[")) and "\n" not in text:
        return None
    try:
        documents = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (ValueError, yaml.YAMLError):
        return None
    return documents if any(isinstance(document, dict | list) for document in documents) else None
