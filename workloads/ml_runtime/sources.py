"""Brings the files of a source onto this machine's scratch, with the digest by which to know them again.

The module owns what a prefix, a folder of an ETL run and a file of DVC are made of. What is in the files is the
business of ml_runtime.formats; how the object store is asked, that of ml_runtime.store.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ml_runtime import report, store
from ml_runtime.errors import RunError
from ml_runtime.places import Stored, Tracked
from ml_runtime.report import DataReport
from ml_runtime.store import Found

AT_ONCE = 4
KEPT_FREE = 64 * 2**20
"""Of the scratch, for whatever else is written there."""


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """One file of a source."""

    name: str
    """Relative to the source."""
    uri: str
    path: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a source is made of."""

    files: Sequence[LocalFile]
    sha256: str
    report: DataReport | None = None
    """Of the ETL run that left the folder."""
    folder: bool = False


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the files, for as long as they are read."""
    with TemporaryDirectory(prefix="data-") as folder:
        yield Path(folder)


def fetch(source: Stored | Tracked, folder: Path, patience: float) -> Files:
    """The files of the source, in this folder.

    Raises:
        RunError: they are not there, are not what their report or their md5 says, or there is no room for them.
    """
    if isinstance(source, Tracked):
        return _tracked(source, folder, patience)
    if source.is_object:
        files = _all(store.find(source, patience), [source.key.rpartition("/")[2]], folder, patience)
        return Files(files=files, sha256=files[0].sha256)
    found = store.find(source, patience)
    content = store.read(Stored(bucket=source.bucket, key=source.key + report.NAME), patience)
    left = None if content is None else report.parse(content, str(source))
    if left is not None:
        found = _parts(source, found, left)
    names = [each.place.key.removeprefix(source.key) for each in found]
    files = _all(found, names, folder, patience)
    if left is None:
        return Files(files=files, sha256=_digest(files), folder=True)
    for each in files:
        if each.sha256 != left.parts[each.name]:
            raise RunError(
                f"{each.uri} has the sha256 {each.sha256}, and {left.parts[each.name]} by the report of the ETL run "
                f"{left.run}: somebody replaced it. Run the ETL again."
            )
    return Files(files=files, sha256=left.sha256, report=left, folder=True)


def _parts(source: Stored, found: Sequence[Found], left: DataReport) -> list[Found]:
    by_name = {each.place.key.removeprefix(source.key): each for each in found}
    if missing := sorted(left.parts.keys() - by_name.keys()):
        raise RunError(f"{source} lacks {missing[0]}, which its report names; run the ETL again")
    return [by_name[name] for name in sorted(left.parts)]


def _all(found: Sequence[Found], names: Sequence[str], folder: Path, patience: float) -> list[LocalFile]:
    """Some objects at once, since the way to each takes longer than a small one."""
    _check_room(found, folder)

    def one(place: tuple[int, Found, str]) -> LocalFile:
        number, each, name = place
        path = folder / f"{number}-{name.rpartition('/')[2][-100:]}"  # its ending tells how it is compressed
        return LocalFile(name=name, uri=str(each.place), path=path, sha256=store.fetch(each, path, patience))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, zip(range(len(found)), found, names, strict=False)))


def _check_room(found: Sequence[Found], folder: Path) -> None:
    needed, free = sum(each.size for each in found), shutil.disk_usage(folder).free - KEPT_FREE
    if needed > free:
        raise RunError(
            f"the data are {needed / 2**20:,.0f} MiB and the scratch {folder.parent} has room for "
            f"{max(free, 0) / 2**20:,.0f}; "
            "give the run more of it (`scratch`), or let an ETL run leave less"
        )


def _tracked(source: Tracked, folder: Path, patience: float) -> Files:
    """A file of DVC, or the files that a folder of DVC lists; each is verified by its md5."""
    if not source.md5.endswith(".dir"):
        files = [_of_md5(source, source.md5, source.md5, folder / "file", patience)]
        return Files(files=files, sha256=files[0].sha256)
    listing = _of_md5(source, source.md5, source.md5, folder / "listing", patience)
    try:
        entries = [(str(each["relpath"]), str(each["md5"])) for each in json.loads(listing.path.read_bytes())]
    except (ValueError, KeyError, TypeError) as broken:
        raise RunError(f"{listing.uri} is no list of a DVC folder: {broken!r}; `dvc push` it again") from broken
    files = [
        _of_md5(source, md5, name, folder / f"{number}-{name.rpartition('/')[2][-100:]}", patience)
        for number, (name, md5) in enumerate(sorted(entries))
    ]
    return Files(files=files, sha256=_digest(files), folder=True)


def _digest(files: Sequence[LocalFile]) -> str:
    return store.digest("\n".join(sorted(f"{each.name} {each.sha256}" for each in files)).encode())


def _of_md5(source: Tracked, md5: str, name: str, path: Path, patience: float) -> LocalFile:
    place = Stored(bucket=source.remote.bucket, key=f"{source.remote.prefix}files/md5/{md5[:2]}/{md5[2:]}")
    found = store.find(place, patience)
    _check_room(found, path.parent)
    digest: Any = hashlib.md5(usedforsecurity=False)
    sha256 = store.fetch(found[0], path, patience, digest)
    if digest.hexdigest() != md5.removesuffix(".dir"):
        raise RunError(f"{place} has the md5 {digest.hexdigest()}, not that of its name: `dvc push` it again")
    return LocalFile(name=name, uri=str(place), path=path, sha256=sha256)
