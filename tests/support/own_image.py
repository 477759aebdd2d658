"""An image of a user's own on the node: built from a folder's Containerfile, on the platform's base, and pushed."""

from __future__ import annotations

from pathlib import Path

from ml_local import image_builder, images
from ml_local.image_builder import Builder
from ml_local.node import layout as names
from ml_local.node import pki
from ml_local.node.layout import layout
from ml_local.registry import Registry

BASE = "base"
"""The platform's image that stands for the minimal Debian of the Containerfile, which has to be downloaded."""


def pushed(name: str, folder: Path, work: Path) -> str:
    """The reference of the image `name` in the node's registry; `work` is where it is built."""
    builder, reference, base = Builder(work), f"{name}:1", images.reference(BASE)
    builder.take(image_builder.cached(), base)
    copied = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    builder.containerfile(reference, folder / "Containerfile", copied, base)
    digest = builder.digest(reference)
    registry = Registry(names.REGISTRY, pki.client_context(layout().pki, "registry-client"))
    registry.push(name, "1", digest, builder.layout)
    return f"{names.REGISTRY}/{name}@{digest}"
