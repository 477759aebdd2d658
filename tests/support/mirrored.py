"""Every file of a mirror as a release for the pipeline: as the catalog has it, and else by the mirror's own index.

What no index can know of a file (the rules it takes, what else it needs) is in mirrored.toml.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from ml_local import paths
from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry, Part
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.pipeline import load

_RENDER = {"manifest": "files", "helm": "helm", "kustomize": "kustomize"}


@cache
def index() -> dict[str, dict[str, Any]]:
    """<name>@<version> -> what the mirror says of that file; nothing where it has no index."""
    path = mirror() / "INDEX.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def mirror() -> Path:
    folder = paths.mirror()
    assert folder, "not collected without a mirror"
    return folder


@cache
def releases() -> tuple[Entry, ...]:
    """The upstream releases of the catalog, then one for each file that is none of theirs."""
    known = {key(part) for entry in pinned() for part in entry.parts}
    return (*pinned(), *(_indexed(name) for name in index() if name not in known))


def pinned() -> tuple[Entry, ...]:
    """The releases of the catalog that a mirror holds: all but the lean ones."""
    entries = chain.from_iterable(catalog.releases().values())
    return tuple(entry for entry in entries if entry.parts[0].source.kind != "file")


def definitions_by(*names: str) -> list[dict[str, Any]]:
    """The CRDs that a mirror has under the names of these parts, for what an operator of the catalog defines itself."""
    found = [each for each in releases() if {part.name for part in each.parts} & set(names)]
    return [item for each in found for item in load(each, mirror()) if item["kind"] == DEFINITION]


def key(part: Part) -> str:
    return f"{part.name}@{part.version}"


def _indexed(name: str) -> Entry:
    described = index()[name]
    more = _more().get(described["name"], {})
    return Entry.model_validate(
        {
            "name": described["name"],
            "version": described["version"],
            "licence": "as its repository says",
            "namespace": more.get("namespace") or described.get("namespace", "default"),
            "kubernetes": ">=1.34,<1.37",
            "parts": [_part(part) for part in (*more.get("with", ()), name)],
            "needs": more.get("needs", ()),
            "rules": more.get("rules", ()),
        }
    )


def _part(name: str) -> dict[str, Any]:
    described = index()[name]
    source = {field: described[field] for field in ("ref", "commit", "path")}
    source |= {"kind": "git", "repository": described["repo"], "render": _RENDER[described["kind"]]}
    return {**{field: described[field] for field in ("name", "version", "sha256")}, "source": source}


@cache
def _more() -> dict[str, dict[str, Any]]:
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    unknown = set(found) - {described["name"] for described in index().values()}
    assert not unknown, f"the mirror has no {', '.join(unknown)}"
    return found


def files() -> Iterator[Path]:
    """All renderings of the mirror."""
    return mirror().glob("*/*.yaml")
