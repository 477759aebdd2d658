"""The catalog: which releases exist, pinned, and what each needs.

It owns the entries of catalog.toml and the check that a choice of them fits together. It does not read what an entry
points to (source.py) and knows no settings: what depends on those is a transform.
"""

import functools
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ml_platform.bundles.errors import BundleError

CATALOG = Path(__file__).with_name("catalog.toml")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSource(_Frozen):
    """A YAML file, or a folder of them in the order of their names, in this repository."""

    kind: Literal["file"]
    path: str
    sha256: str  # of the rendering: what parse() gets


class Rule(_Frozen):
    """What must be dropped or mended in a rendering, whatever the settings; `why` is for the reader.

    `drop` removes the objects that match, `remove` the field at `path` in them: names joined by dots, `*` for each
    item of a list.
    """

    action: Literal["drop", "remove"]
    kind: str
    name: str | None = None
    path: str | None = None
    why: str


class Probe(_Frozen):
    """An object that `webhook` must refuse. That refusal, and nothing else, proves that the webhook answers."""

    webhook: str
    pods: str  # label selector of what serves it, in the bundle's namespace
    manifest: dict[str, Any]


class Entry(_Frozen):
    """One release, pinned."""

    name: str
    version: str
    licence: str
    namespace: str
    kubernetes: Annotated[str, Field(pattern=r"^>=\d+\.\d+,<\d+\.\d+$")]
    source: FileSource
    images: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    probes: tuple[Probe, ...] = ()

    def supports(self, server: str) -> bool:
        """Whether a cluster of version `server` (v1.36.4, 1.34+) is in the supported window."""
        lowest, highest = (_minor(bound) for bound in self.kubernetes.split(","))
        return lowest <= _minor(server) < highest


def _minor(version: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", version)
    if not found:
        raise BundleError(f"{version!r} is not a Kubernetes version; expected for example v1.36.4.")
    return int(found[1]), int(found[2])


@functools.cache
def entries(path: Path = CATALOG) -> Mapping[str, Entry]:
    """Every entry by name."""
    table = tomllib.loads(path.read_text())
    return {name: Entry.model_validate({"name": name, **fields}) for name, fields in table.items()}


def entry(name: str) -> Entry:
    known = entries()
    if name not in known:
        raise BundleError(f"There is no bundle {name!r}; the catalog has: {', '.join(sorted(known))}.")
    return known[name]


def check(chosen: Collection[str]) -> None:
    """Refuses a choice in which something is missing or does not go together, before anything is touched."""
    for name in chosen:
        pinned = entry(name)
        for needed in pinned.needs:
            if needed not in chosen:
                raise BundleError(f"Bundle {name!r} needs {needed!r}: choose it as well, or leave {name!r} out.")
        for other in pinned.excludes:
            if other in chosen:
                raise BundleError(f"Bundles {name!r} and {other!r} exclude each other: leave one of them out.")
