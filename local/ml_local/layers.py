"""Layers: packages of one's own on an image of the platform. Each has a folder in the cache with the lists of them.

A layer's name is a digest of the lists (ml_workloads.packages), so that a folder is written once. Owns these folders;
what a layer is as an image is known to images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ml_local import paths

if TYPE_CHECKING:
    from ml_workloads.packages import Layer

CONTAINERFILE = "layer"
"""The end of the name of the Containerfile that all layers are built by."""
FILES = ("images/slim.sh",)
"""What it copies beside the lists."""
REQUIREMENTS, DEBIAN = "requirements.txt", "debian.txt"
"""The lists of a folder; one that is empty is there too."""
NAME = re.compile(r"([a-z]+)-[0-9a-f]{12}")


def keep(layers: Mapping[str, Layer]) -> None:
    """Write the lists of these layers, by name, where there are none."""
    for name, layer in layers.items():
        if lists(name) is None:
            partial = _folder() / f".{name}"
            partial.mkdir(parents=True, exist_ok=True)
            for file, lines in ((REQUIREMENTS, layer.packages.requirements), (DEBIAN, layer.packages.debian)):
                (partial / file).write_text("".join(f"{line}\n" for line in lines))
            partial.rename(_folder() / name)


def lists(name: str) -> Path | None:
    """The folder of a layer; None where no such one is kept."""
    folder = _folder() / name
    return folder if NAME.fullmatch(name) and folder.is_dir() else None


def names() -> list[str]:
    """Of all layers whose lists are kept, of any stack."""
    folders = _folder().iterdir() if _folder().is_dir() else ()
    return sorted(path.name for path in folders if lists(path.name))


def base(name: str) -> str:
    """The image of the platform that a layer is on."""
    return name.rpartition("-")[0]


def _folder() -> Path:
    return paths.cache() / "layers"
