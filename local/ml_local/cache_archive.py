"""The one file that a cache is carried in: a gzipped tar archive of parts, and in front of them its manifest.

Owns the format, and that nothing of an archive is handed on before its digest is verified. The same parts give the same
bytes. It knows nothing of what the parts are for, and needs the standard library alone: it runs where nothing is
installed yet.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path, PurePosixPath

from ml_local.cache_manifest import Manifest, Part, damaged, parsed
from ml_local.errors import LocalError

MANIFEST = "manifest.json"
LEVEL = 3  # half of what is packed is compressed already, and an archive is unpacked more often than it is made
CHUNK = 1 << 20
UNREADABLE = (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What becomes a part: files, links and folders by their names below `folder`."""

    path: str
    folder: Path
    files: Sequence[str]
    holds: Mapping[str, str] = field(default_factory=dict)

    def members(self) -> Iterator[tuple[tarfile.TarInfo, Path]]:
        """Each with what the archive says of it: a second name of a file is a link to its first."""
        first: dict[tuple[int, int], str] = {}
        for name in sorted(self.files):
            path = self.folder / name
            member, status = tarfile.TarInfo(f"{self.path}/{name}"), path.lstat()
            member.mode = status.st_mode & 0o777
            if path.is_symlink():
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
            elif path.is_dir():
                member.type = tarfile.DIRTYPE
            elif known := first.get((status.st_dev, status.st_ino)):
                member.type, member.linkname = tarfile.LNKTYPE, known
            else:
                first[status.st_dev, status.st_ino] = member.name
                member.size = status.st_size
                # A float, which tarfile keeps, has not the nanoseconds that an image's key is made of.
                member.pax_headers = {"mtime": f"{status.st_mtime_ns // 10**9}.{status.st_mtime_ns % 10**9:09}"}
            yield member, path

    def part(self) -> Part:
        """The same as the manifest has it."""
        digest, size = hashlib.sha256(), 0
        for member, path in self.members():
            digest.update(_header(member))
            size += member.size
            if member.isreg():
                with path.open("rb") as stream:
                    while chunk := stream.read(CHUNK):
                        digest.update(chunk)
        return Part(path=self.path, size=size, digest=f"sha256:{digest.hexdigest()}", holds=self.holds)


def write(
    file: Path, sources: Sequence[Source], about: Callable[[tuple[Part, ...]], Manifest], say: Callable[[str], None]
) -> None:
    """Pack the sources into one file, whole or not at all, with what `about` says of their parts.

    Raises:
        LocalError: the file can't be written.
    """
    partial = file.with_name(f".{file.name}.partial")
    say("digests")
    manifest = about(tuple(source.part() for source in sources)).text().encode()
    head = tarfile.TarInfo(MANIFEST)
    head.size = len(manifest)
    try:
        with (
            partial.open("wb") as raw,
            gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as archive,
        ):
            archive.addfile(head, io.BytesIO(manifest))
            for source in sources:
                say(source.path)
                for member, path in source.members():
                    _add(archive, member, path)
        partial.rename(file)
    except OSError as failed:
        raise LocalError(
            f"can't write {file}: {failed.strerror or failed}; name another place, or free some"
        ) from failed
    finally:
        partial.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isreg():
        with path.open("rb") as stream:
            archive.addfile(member, stream)
    else:
        archive.addfile(member)


def manifest(file: Path) -> Manifest:
    """What an archive holds, by its first bytes.

    Raises:
        LocalError: it is no such archive, of another format, or its manifest breaks a rule.
    """
    with _opened(file) as archive:
        return _manifest(file, archive)


def unpack(file: Path, wanted: Collection[str], folder: Path) -> Iterator[tuple[Part, Path]]:
    """The parts with these paths, each unpacked into a folder of its own below `folder`, and verified.

    Raises:
        LocalError: the archive is damaged, ends early, or has a member that does not belong there.
    """
    with _opened(file) as archive:
        missing = {part.path: part for part in _manifest(file, archive).parts}
        for path, members in groupby(iter(archive.next, None), _part_of):
            if path not in missing:
                raise damaged(file, f"its manifest has no {path!r}, or it comes twice")
            part = missing.pop(path)
            if path in wanted:
                unpacked = _Unpacked(file, part, folder / path)
                for member in members:
                    unpacked.take(member, archive)
                yield part, unpacked.verified()
    if lost := sorted(set(wanted) & set(missing)):
        raise damaged(file, f"it ends before {lost[0]}")


def _part_of(member: tarfile.TarInfo) -> str:
    return "/".join(member.name.split("/")[:2])


class _Unpacked:
    """One part on its way out of an archive."""

    def __init__(self, file: Path, part: Part, folder: Path) -> None:
        self.part = part
        self._file, self._folder, self._digest = file, folder, hashlib.sha256()
        self._files, self._folders = set[str](), {part.path}
        folder.mkdir(parents=True)

    def take(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Write one member, in a folder that this part has and that is no link."""
        path = PurePosixPath(member.name)
        if ".." in path.parts or str(path) != member.name or str(path.parent) not in self._folders:
            raise damaged(self._file, f"{member.name!r} leads outside of {self.part.path}")
        self._digest.update(_header(member))
        target = self._folder.joinpath(*path.parts[2:])
        if member.isdir():
            self._folders.add(member.name)
            target.mkdir()
        elif member.issym():
            target.symlink_to(member.linkname)
        elif member.islnk() and member.linkname in self._files:
            os.link(self._folder.joinpath(*PurePosixPath(member.linkname).parts[2:]), target)
        elif member.isreg():
            self._files.add(member.name)
            self._write(target, member, archive)
        else:
            raise damaged(
                self._file, f"{member.name!r} is neither a file, a folder nor a link to one of {self.part.path}"
            )
        if member.isdir() or member.isreg():
            target.chmod(member.mode & 0o777)

    def _write(self, target: Path, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        stream = archive.extractfile(member)
        with target.open("xb") as file:
            while stream and (chunk := stream.read(CHUNK)):
                self._digest.update(chunk)
                file.write(chunk)
        seconds, _, fraction = member.pax_headers.get("mtime", "0").partition(".")
        time = int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])
        os.utime(target, ns=(time, time))

    def verified(self) -> Path:
        """The folder, once all of it is there."""
        found = f"sha256:{self._digest.hexdigest()}"
        if found != self.part.digest:
            shutil.rmtree(self._folder)
            raise damaged(self._file, f"{self.part.path} is {found}, and its manifest says {self.part.digest}")
        return self._folder


def _header(member: tarfile.TarInfo) -> bytes:
    time = member.pax_headers.get("mtime", "") if member.isreg() else ""
    words = (member.name, member.type.decode(), f"{member.mode & 0o777:o}", time, member.linkname, str(member.size))
    return "\0".join(words).encode(errors="surrogateescape") + b"\0"


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with gzip.open(file) as packed, tarfile.open(fileobj=packed, mode="r|", bufsize=CHUNK) as archive:
            yield archive
    except UNREADABLE as bad:
        raise damaged(file, str(bad)) from bad
    except OSError as failed:
        raise LocalError(
            f"can't unpack {file}: {failed.filename or ''} {failed.strerror or failed}".strip()
        ) from failed


def _manifest(file: Path, archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    stream = archive.extractfile(first) if first and first.name == MANIFEST else None
    if stream is None:
        raise damaged(file, f"{MANIFEST} is not its first member")
    return parsed(file, stream.read())
