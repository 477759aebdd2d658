"""What is built for a registry: each image and each module's Go commands, and what they are built from.

A recipe's tag is a digest of all that it is made of, its platforms too: what a registry has under it stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ml_local import images, paths, toolchains
from ml_local.errors import LocalError
from ml_local.images import Image
from ml_local.toolchains import Toolchain

COMMANDS = "commands"
"""The repository of what the toolchains build, and the build context by which images copy from it."""
PUBLIC_DEBIAN = "docker.io/library/debian:bookworm-slim"
"""The default of the Containerfiles' argument BASE."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One image of the registry."""

    title: str
    repository: str
    tag: str
    containerfile: Path
    copied: Mapping[str, Path]
    """The files of its build context, by their paths in it."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None
    """The recipe that is its argument BASE."""
    commands: str | None = None
    """The recipe that is its build context `commands`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The recipes that it is built from."""
        return tuple(name for name in (self.base, self.commands) if name)


def recipes(
    names: Collection[str],
    platforms: Collection[str],
    debian: str = PUBLIC_DEBIAN,
    others: Mapping[str, str] | None = None,
) -> dict[str, Recipe]:
    """Those of the images, and of all that they are built from, each after what it is built from.

    Args:
        names: of images.
        platforms: as in linux/amd64.
        debian: the image that is below all others.
        others: references of images that are not ours, by the names of those in whose place they are; layers are built
            on them.

    Raises:
        LocalError: there is no such image.
    """
    if unknown := sorted(name for name in names if images.find(name) is None):
        raise LocalError(f"there is no image {', '.join(unknown)}; there are {', '.join(images.table())}")
    made: dict[str, Recipe] = {}
    for name, image in images.with_bases(names).items():
        if image.toolchain:
            made[_title(image.toolchain)] = _commands(image.toolchain, platforms, debian)
        given = (others or {}).get(str(image.base)) if image.lists else None
        made[name] = _image(image, made, platforms, debian if image.base == images.DEBIAN else given)
    return made


def _image(image: Image, made: Mapping[str, Recipe], platforms: Collection[str], given: str | None) -> Recipe:
    """The recipe on `given`, an image that is not built here, or on the image's own base where there is one."""
    base = None if given else image.base
    below = made[base].tag if base else given or ""
    return Recipe(
        title=image.name,
        # A registry that makes no repository by itself has none for packages that nobody has thought of yet.
        repository=str(image.base) if image.lists else image.name,
        tag=images.digest_of([*image.inputs(), below.encode(), *(each.encode() for each in platforms)]),
        containerfile=image.containerfile,
        copied={} if image.command else image.copied(),
        arguments={"BASE": given} if given else {},
        base=base,
        commands=_title(image.toolchain) if image.toolchain else None,
    )


def _commands(toolchain: Toolchain, platforms: Collection[str], debian: str) -> Recipe:
    containerfile = toolchains.sources() / "Containerfile"
    root, go = paths.checkout(), images.workloads() / "images" / "requirements" / "go.txt"
    architectures = [platform.split("/")[1] for platform in platforms]
    inputs = [toolchain.folder.name, debian, *architectures]
    digest = images.digest_of([*(each.encode() for each in inputs), containerfile.read_bytes(), go.read_bytes()])
    table = toolchains.sources() / "toolchains.toml"
    files = [go, table, *(root / "local/ml_local").glob("*.py"), *toolchain.source.rglob("*")]
    return Recipe(
        title=_title(toolchain),
        repository=COMMANDS,
        tag=f"{toolchain.name}-{digest}",
        containerfile=containerfile,
        copied={path.relative_to(root).as_posix(): path for path in files if path.is_file()},
        arguments={"BASE": debian, "MODULE": toolchain.name, "ARCHITECTURES": " ".join(architectures)},
    )


def _title(toolchain: Toolchain) -> str:
    return f"Go commands of {toolchain.name}"
