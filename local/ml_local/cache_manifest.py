"""What an archive of a cache says of itself: its parts, each with the digest of all that it is.

Owns the rules that a manifest keeps before anything of its archive is looked at. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ml_local.errors import LocalError

FORMAT = 1
KINDS = ("debian", "images", "python", "toolchains")
PATH = re.compile(rf"({'|'.join(KINDS)})/\w[\w.+-]*", re.ASCII)
NAME = re.compile(r"\w[\w.+-]*", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One folder of the cache. `holds` are the names of images and the digests of their manifests."""

    path: str
    size: int  # bytes, unpacked
    digest: str
    holds: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What it is a part of, one of KINDS."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        """Its own name, which carries its version."""
        return self.path.partition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an archive says of itself."""

    architecture: str
    cache: str  # the folder that the parts lay in: scripts name it
    packages: Mapping[str, Any]  # Debian's, by version: the record of debian_packages, of which the keys are made
    parts: tuple[Part, ...]

    def text(self) -> str:
        """As it is written."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)


def parsed(file: Path, text: str | bytes) -> Manifest:
    """The manifest of the archive `file`.

    Raises:
        LocalError: it is of another format, or breaks a rule.
    """
    try:
        return _checked(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as bad:
        raise damaged(file, f"its manifest breaks a rule: {bad}") from bad


def damaged(file: Path, why: str) -> LocalError:
    """What is said of an archive that can't be used."""
    return LocalError(f"{file} is damaged, or no archive that `make cache` has made: {why}. Get it again.")


def _checked(said: dict[str, Any]) -> Manifest:
    if said["format"] != FORMAT:
        raise LocalError(
            f"the archive has format {said['format']!r}, and this version of the project reads format {FORMAT}: "
            'make one with it: `make cache DO="export FILE"`'
        )
    parts = tuple(Part(**each) for each in said["parts"])
    for part in parts:
        held = all(NAME.fullmatch(name) and DIGEST.fullmatch(digest) for name, digest in part.holds.items())
        if not (PATH.fullmatch(part.path) and DIGEST.fullmatch(part.digest) and part.size >= 0 and held):
            raise ValueError(f"part {part.path!r}")
    return Manifest(architecture=said["architecture"], cache=said["cache"], packages=said["packages"], parts=parts)
