"""`make cache`: the cache of one machine in one file, and a start from such a file on another.

Owns which parts an archive has, which of them fit here, and how they get into this cache: beside what is there, whole
or not at all, and never over it. What is imported at the top is the standard library and modules that need no other:
an import runs before there is a Python environment.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import platform
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ml_local import (
    cache_archive,
    cache_download,
    cache_manifest,
    console,
    debian,
    debian_packages,
    entry,
    image_builder,
    lock,
    paths,
    toolchains,
)
from ml_local.cache_archive import Source
from ml_local.cache_manifest import Manifest, Part
from ml_local.command import run
from ml_local.debian_packages import Packages
from ml_local.errors import LocalError

GIB = 2**30
REQUIREMENTS = ("requirements-dev.txt", "requirements.txt")
# What `python -m venv` writes, with this machine's own interpreter in it.
OF_VENV = ("pyvenv.cfg", "lib64", "bin/python*", "bin/[aA]ctivate*")
Say = Callable[[str], None]


def export(file: Path, config: Path | None, say: Say) -> None:
    """Pack what `make up` needs by a stack file, the stack's own if none is named.

    Raises:
        LocalError: something of it is not built, or the file can't be written.
    """

    def about(parts: tuple[Part, ...]) -> Manifest:
        packages = asdict(debian_packages.in_use())
        return Manifest(architecture=platform.machine(), cache=str(paths.cache()), packages=packages, parts=parts)

    cache_archive.write(file, list(_sources(config)), about, say)


def load(source: str, sha256: str, say: Say) -> list[str]:
    """Have the parts of an archive, a file or an http(s) URL, that fit and are not here.

    Returns:
        A line for each that was taken, was here, or does not fit.

    Raises:
        LocalError: the archive is not the expected one, damaged, or for another architecture; or there is no room.
    """
    sha256 = sha256.strip().lower().removeprefix("sha256:")
    known = _folder() / f"{sha256}.json"
    if sha256 and known.exists() and not _wanted(found := cache_manifest.parsed(known, known.read_text())):
        return _lines(found, ())
    with _file(source, sha256, say) as file:
        found = cache_archive.manifest(file)
        if found.architecture != platform.machine():
            raise LocalError(
                f"{file} was made on {found.architecture}, and this machine is {platform.machine()}: nothing of it "
                "runs here. Make one on such a machine, or start without: `make up`"
            )
        wanted = _wanted(found)
        _check_room(file, found, wanted)
        partial = _folder() / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            for part, folder in cache_archive.unpack(file, wanted, partial):
                say(part.path)
                _place(part, folder, found)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    if sha256:
        partial.write_text(found.text())
        partial.rename(known)
    return _lines(found, wanted)


def _folder() -> Path:
    folder = paths.cache() / "prebuilt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _file(source: str, sha256: str, say: Say) -> Iterator[Path]:
    """The archive as a file, which is the one that was meant."""
    if source.startswith(("http://", "https://")):
        if not cache_manifest.DIGEST.fullmatch(f"sha256:{sha256}"):
            raise LocalError(
                f"CACHE_SHA256 is {sha256!r}, and what comes from a URL is used only by its digest, 64 hex digits: "
                "`make cache` printed it when the archive was made"
            )
        target = _folder() / f"{sha256}.tar.gz"
        if not target.exists():
            cache_download.download(source, sha256, target, say)
        yield target
        target.unlink()
        return
    file = Path(source)
    if not file.is_file():
        raise LocalError(f"CACHE is {source!r}, which is neither a file nor an http(s) URL")
    if sha256 and (digest := cache_download.digest(file)) != sha256:
        raise LocalError(
            f"{file} has sha256 {digest}, and CACHE_SHA256 is {sha256}: it is not that file, nothing of it was used"
        )
    yield file


def _wanted(found: Manifest) -> tuple[str, ...]:
    return tuple(part.path for part in found.parts if _fits(part, found) and not _here(part))


def _packages(found: Manifest) -> Packages:
    """Debian's packages that the keys are made of here: those of the archive where there are none yet."""
    in_use = debian_packages.in_use()
    return in_use if in_use.asked else debian_packages.recorded(found.packages)


def _fits(part: Part, found: Manifest) -> bool:
    """Whether this checkout, on this machine, would use it."""
    if part.kind == "toolchains":
        return part.name in {toolchain.folder.name for toolchain in toolchains.toolchains()}
    if part.kind == "python":
        return part.name in _environments()
    return part.kind != "debian" or paths.cache() / part.path == debian.root_of(_packages(found))


def _here(part: Part) -> bool:
    if part.kind == "images":
        return all(image_builder.cached().marker(name).exists() for name in part.holds)
    done = paths.cache() / part.path / ("complete" if part.kind == "python" else "")
    return done.exists()


def _environments() -> set[str]:
    """The names of the Python environments of this checkout, as local/bootstrap makes them."""
    digests = (hashlib.sha256((paths.checkout() / name).read_bytes()).hexdigest()[:12] for name in REQUIREMENTS)
    return {f"{sys.version_info.major}.{sys.version_info.minor}-{digest}" for digest in digests}


def _check_room(file: Path, found: Manifest, wanted: Collection[str]) -> None:
    needed = sum(part.size for part in found.parts if part.path in wanted)
    free = shutil.disk_usage(paths.cache()).free
    if free < needed:
        raise LocalError(
            f"{paths.cache()} has {free / GIB:.1f} GiB free, and what {file} holds takes {needed / GIB:.1f}. Free "
            "some, or name another place: ML_PLATFORM_CACHE=DIR make up ..."
        )


def _place(part: Part, folder: Path, found: Manifest) -> None:
    """Move a verified part to where it is looked for."""
    if part.kind == "images":
        image_builder.cached().adopt(folder, part.holds)
        return
    target = paths.cache() / part.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if part.kind == "debian":
        if found.cache != str(paths.cache()):
            debian.settle(folder, target)
        _packages(found).write()
    else:
        _relocate(folder, found.cache)
    if part.kind != "python":
        folder.rename(target)
        return
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    with (target.parent / "lock").open("a") as held:  # local/bootstrap's, which installs there
        fcntl.flock(held, fcntl.LOCK_EX)
        shutil.rmtree(target, ignore_errors=True)  # what it left when it was killed
        folder.rename(target)


def _relocate(folder: Path, cache: str) -> None:
    """Make scripts name this cache where they name the one that they come from."""
    for path in (folder / "bin").glob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                text = stream.read() if stream.read(2) == b"#!" else b""
            if cache.encode() in text:
                path.write_bytes(b"#!" + text.replace(cache.encode(), str(paths.cache()).encode()))


def _sources(config: Path | None) -> Iterator[Source]:
    from ml_local import images, stack, stackfile
    from ml_local.up import toolchains_of

    table = images.with_bases(stackfile.wanted(config or stack.stack_file()))
    yield _tree("debian", debian.root())
    yield _tree("python", Path(sys.prefix), without=OF_VENV)
    for toolchain in toolchains_of(table):
        commands = [toolchains.binary(command) for command in toolchain.commands]
        beside = [toolchain.folder / "bin" / Path(path).name for path in toolchain.files.values()]
        files = [path.relative_to(toolchain.folder).as_posix() for path in (*commands, *beside)]
        yield Source(path=f"toolchains/{toolchain.folder.name}", folder=toolchain.folder, files=["bin", *files])
    yield _images((images.DEBIAN, *table))


def _images(names: Sequence[str]) -> Source:
    from ml_local import images

    holds, blobs = {}, set[str]()
    layout = image_builder.cached().layout
    for name in names:
        if not (digest := images.built_digest(name)):
            raise LocalError(
                f"the image {name} is not built; run `make build`, with the CONFIG of `make up` if it has one"
            )
        holds[images.reference(name).replace(":", "-")] = digest
        blobs |= set(layout.blobs(digest))
    version = hashlib.sha256(repr(sorted(holds.items())).encode()).hexdigest()[:12]
    files = [layout.blob(digest).relative_to(layout.folder).as_posix() for digest in blobs]
    folders = {parent.as_posix() for file in files for parent in Path(file).parents if parent != Path()}
    return Source(path=f"images/{version}", folder=layout.folder, files=[*folders, *files], holds=holds)


def _tree(kind: str, folder: Path, without: Sequence[str] = ()) -> Source:
    if not folder.exists():
        raise LocalError(f"{folder} is not there; run `make build`")
    left_out = {path for pattern in without for path in folder.glob(pattern)}
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path not in left_out]
    return Source(path=f"{kind}/{folder.name}", folder=folder, files=files)


def _lines(found: Manifest, taken: Collection[str]) -> list[str]:
    def fate(part: Part) -> str:
        if part.path in taken:
            return "taken"
        return (
            "here already"
            if _fits(part, found)
            else "of another version of the project; what takes its place is built here"
        )

    return [f"{part.path}: {fate(part)}" for part in found.parts]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it did its work, 1 with a message if not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog='make cache DO="..."', description="The cache in one file, and out of one.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    packing = commands.add_parser("export", help="write what `make up` needs into one file")
    packing.add_argument("file", type=Path)
    packing.add_argument("--config", type=Path, help="another stack file in place of the stack's own")
    unpacking = commands.add_parser("import", help="have what such a file holds")
    unpacking.add_argument("source", metavar="FILE|URL")
    unpacking.add_argument("sha256", nargs="?", default="", help="of the file; a URL needs it")
    options = parser.parse_args(argv)

    def work() -> None:
        with lock.building("make cache"):
            _export(options) if options.command == "export" else _import(options)

    return entry.run(work)


def _export(options: argparse.Namespace) -> None:
    with console.step(f"The cache into {options.file}") as say:
        export(options.file, options.config, say)
        sha256 = cache_download.digest(options.file)
    console.line(
        f"\n{options.file.stat().st_size / cache_download.MIB:.0f} MiB. On another machine, or from where you put it:"
    )
    console.line(f"  make up CACHE={options.file} CACHE_SHA256={sha256}")


def _import(options: argparse.Namespace) -> None:
    with console.step(f"The cache from {cache_download.shown(options.source)}") as say:
        lines = load(options.source, options.sha256, say)
    for line in lines:
        console.line(f"      {line}")


if __name__ == "__main__":
    sys.exit(main())
