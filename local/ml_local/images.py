"""The platform's images: which there are, what each is made of, when one must be built, and where it was pushed to.

An image's key is a digest of all that goes into it; what was built under a key is never built again. How an image is
built is the business of image_builder, how it gets into a registry that of registry.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import time
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache as memoize
from pathlib import Path

from ml_local import apt_sources, debian_packages, image_builder, layers, paths, toolchains
from ml_local.errors import LocalError
from ml_local.image_builder import Builder
from ml_local.registry import Registry
from ml_local.toolchains import Toolchain

Progress = Callable[[str], None]
DEBIAN = "debian"
UNUSED_SECONDS = 14 * 24 * 3600  # after which an image that nobody asked for is forgotten


@dataclass(frozen=True, kw_only=True)
class Image:
    """One entry of workloads/images/images.toml, which explains the fields; or a layer."""

    name: str
    base: str | None = None
    files: tuple[str, ...] = ()
    command: str | None = None
    tag: str | None = None
    lists: Path | None = None
    """Of a layer, the folder with the lists of its packages."""

    @property
    def fetches(self) -> bool:
        """Whether its build asks a package registry, by this machine's settings, which are its secrets."""
        return "--mount=type=secret" in self.containerfile.read_text()

    @property
    def containerfile(self) -> Path:
        """What it is built by."""
        return workloads() / "images" / f"Containerfile.{layers.CONTAINERFILE if self.lists else self.name}"

    @property
    def toolchain(self) -> Toolchain | None:
        """What builds the command that it holds."""
        return next((each for each in toolchains.toolchains() if self.command in each.commands), None)

    def copied(self) -> dict[str, Path]:
        """The files that it copies, by the paths by which it does."""
        folder = toolchains.binary(self.command).parent if self.command else workloads()
        command = {self.command: toolchains.binary(self.command)} if self.command else {}
        lists = {path.name: path for path in sorted(self.lists.iterdir())} if self.lists else {}
        return {path.relative_to(folder).as_posix(): path for path in _expand(folder, self.files)} | lists | command

    def inputs(self) -> Iterator[bytes]:
        """All of this repository that its content depends on, but for its base: the same on each machine."""
        yield f"{self.name} {self.command} {image_builder.TIMESTAMP}".encode()
        yield self.containerfile.read_bytes()
        if self.toolchain:
            yield self.toolchain.folder.name.encode()
        else:
            yield from (name.encode() + b"\0" + path.read_bytes() for name, path in self.copied().items())


def workloads() -> Path:
    """The folder that holds the Containerfiles and what they copy."""
    return paths.checkout() / "workloads"


@memoize
def table() -> dict[str, Image]:
    """All images, a base before what is built on it."""
    entries = tomllib.loads((workloads() / "images" / "images.toml").read_text())
    return {
        name: Image(name=name, **{**entry, "files": tuple(entry.get("files", ()))}) for name, entry in entries.items()
    }


def find(name: str) -> Image | None:
    """The image of that name: of the table, or a layer whose lists are kept."""
    lists = layers.lists(name)
    layer = Image(name=name, base=layers.base(name), files=layers.FILES, lists=lists) if lists else None
    return table().get(name) or layer


def with_bases(names: Collection[str]) -> dict[str, Image]:
    """Those images and what they are built on, a base before what is built on it."""
    on_top = {name: image for name in names if (image := find(name)) and image.lists}
    wanted = {*names, *(str(image.base) for image in on_top.values())}
    for image in reversed(table().values()):
        if image.name in wanted and image.base:
            wanted.add(image.base)
    return {name: image for name, image in table().items() if name in wanted} | on_top


def reference(name: str) -> str:
    """An image's name with its key.

    Raises:
        LocalError: no such image, or the command that it holds is not built yet.
    """
    if name == DEBIAN:
        installed = debian_packages.in_use().images.get(DEBIAN, ())
        inputs = [apt_sources.RELEASE.encode(), image_builder.SLIM_HOOK.encode(), *map(str.encode, installed)]
    elif image := find(name):
        inputs = list(_inputs(image))
    else:
        raise LocalError(f"there is no image {name!r}; there are {', '.join(table())}")
    return f"{name}:{digest_of(inputs)}"


def digest_of(inputs: Iterable[bytes]) -> str:
    """The key of what is made of them, for a tag."""
    return hashlib.sha256(b"".join(hashlib.sha256(each).digest() for each in inputs)).hexdigest()[:12]


def build(names: Collection[str], progress: Progress) -> dict[str, Path]:
    """Build what is not built, bases first.

    Returns:
        The manifest of each image, in the cache's OCI layout.

    Raises:
        LocalError: a build failed; the message says which, why, and what to do.
    """
    try:
        return {name: image_builder.cached().layout.blob(_build(name, progress)) for name in names}
    except OSError as full:
        raise LocalError(
            f"can't write {full.filename or image_builder.cached().folder}: {full.strerror}; free some space"
        ) from full


def build_again(name: str, builder: Builder) -> str:
    """Build an image that is built a second time, by another builder and on the very base that the first is on.

    Returns:
        The digest of its manifest.
    """
    if base := _base(name):
        builder.take(image_builder.cached(), base)
    return _make(name, builder)


def built() -> dict[str, str]:
    """The digest of the manifest of each image that is built as it is declared now; layers come last."""
    found = {name: built_digest(name) for name in (*table(), *layers.names())}
    return {name: digest for name, digest in found.items() if digest}


def built_digest(name: str) -> str | None:
    """The digest of an image's manifest, if it is built as it is declared now."""
    with suppress(LocalError):  # the command that it holds is not built
        marker = _marker(reference(name))
        if marker.exists() and image_builder.cached().layout.blob(marker.read_text()).exists():
            return marker.read_text()
    return None


def push(names: Collection[str], registry: str, tls: ssl.SSLContext, progress: Progress) -> dict[str, str]:
    """Copy what the registry has not, and write down each image's reference by digest in the state directory.

    Raises:
        LocalError: an image is not built, or the registry does not answer.
    """
    target = Registry(registry, tls)
    references = {}
    for position, name in enumerate(names, start=1):
        key = reference(name)
        if not _marker(key).exists():
            raise LocalError(f"the image {name} is not built; run `make build`")
        progress(f"{name}, {position} of {len(names)}")
        digest = _marker(key).read_text()
        image = find(name)
        tag = image.tag if image else None
        target.push(name, tag or key.partition(":")[2], digest, image_builder.cached().layout)
        references[name] = f"{registry}/{name}@{digest}"
    _write(paths.state() / "images.json", json.dumps(references, indent=2))
    _forget_unused(names)
    return references


def _forget_unused(names: Collection[str]) -> None:
    current = {_marker(reference(name)) for name in (DEBIAN, *with_bases(names))}
    oldest = time.time() - UNUSED_SECONDS
    markers = (image_builder.cached().folder / "built").iterdir()
    unused = [path for path in markers if path not in current and path.stat().st_mtime < oldest]
    for path in unused:
        path.unlink()
    if unused:
        image_builder.cached().forget([":".join(path.name.rsplit("-", 1)) for path in unused])


def _build(name: str, progress: Progress) -> str:
    """Build one image if need be; the digest of its manifest."""
    key = reference(name)
    if digest := built_digest(name):
        _marker(key).touch()
        return digest
    image = find(name)
    if image and image.base:
        _build(image.base, progress)
    progress(name if image else "a minimal Debian")
    digest = _make(name, image_builder.cached())
    _write(_marker(key), digest)
    return digest


def _inputs(image: Image) -> Iterator[bytes]:
    """What it depends on here: the Debian packages of these mirrors, and its Go command as it was built."""
    yield from image.inputs()
    packages = debian_packages.in_use()
    yield from map(str.encode, packages.images.get(image.name, ()))
    if image.lists and (image.lists / layers.DEBIAN).read_text():
        yield packages.asked.encode()  # the versions of what a stack's file lists are in no record
    if image.base:
        yield reference(image.base).encode()
    if image.command:
        # Its toolchain is a digest of the sources; reading 700 MB at each start would take seconds.
        built = toolchains.binary(image.command).stat()
        yield f"{built.st_size} {built.st_mtime_ns}".encode()


def _make(name: str, builder: Builder) -> str:
    key = reference(name)
    if image := find(name):
        builder.containerfile(key, image.containerfile, image.copied(), _base(name))
    else:
        builder.debian_root(key)
    return builder.digest(key)


def _base(name: str) -> str | None:
    image = find(name)
    return reference(image.base) if image and image.base else None


def _marker(key: str) -> Path:
    return image_builder.cached().marker(key.replace(":", "-"))


def _expand(context: Path, files: Sequence[str]) -> Iterator[Path]:
    for name in files:
        path = context / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in found if each.is_file() and "__pycache__" not in each.parts)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
