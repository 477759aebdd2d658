"""Advisories in OSV's format: where they are read from, which versions one is about. It knows no bill of materials."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_local.errors import LocalError
from univers.versions import DebianVersion, GolangVersion, InvalidVersion, MavenVersion, PypiVersion, Version

PUBLIC = "https://osv-vulnerabilities.storage.googleapis.com"
ECOSYSTEMS: dict[str, type[Version]] = {
    "PyPI": PypiVersion,
    "Go": GolangVersion,
    "Maven": MavenVersion,
    "Debian:12": DebianVersion,
}
FROM_THE_START = {"introduced": "0"}  # before 0.0.0-alpha and 0~git, too
TIMEOUT = 120


@dataclass(frozen=True)
class Advisory:
    """What a record says of one package."""

    record: dict[str, Any]
    ecosystem: str
    name: str
    affected: dict[str, Any]

    @property
    def numbers(self) -> frozenset[str]:
        """Its own, and those under which others know it."""
        return frozenset((self.record["id"], *self.record.get("aliases", ()), *self.record.get("upstream", ())))

    @property
    def title(self) -> str:
        """Its number, the CVE's first, and what it is about."""
        known = sorted(self.numbers, key=lambda number: (not number.startswith("CVE-"), number))
        summary = self.record.get("summary") or self.record.get("details", "").partition("\n")[0]
        return ", ".join(known[:2]) + (f": {summary}" if summary else "")

    def concerns(self, version: str) -> bool:
        """Whether that version is affected; where versions can't be compared, it is taken to be."""
        if version in self.affected.get("versions", ()):
            return True
        try:
            return any(self._inside(events, self._version(version)) for events in self._ranges())
        except InvalidVersion:
            return True

    def fixed(self, version: str) -> str | None:
        """The first later version that is not affected any more."""
        fixes = [event["fixed"] for events in self._ranges() for event in events if "fixed" in event]
        try:
            later = [each for each in fixes if self._version(each) > self._version(version)]
            return min(later, key=self._version, default=None)
        except InvalidVersion:
            return None

    def _ranges(self) -> Iterator[list[dict[str, str]]]:
        for each in self.affected.get("ranges", ()):
            if each["type"] in ("ECOSYSTEM", "SEMVER"):
                yield each["events"]

    def _inside(self, events: list[dict[str, str]], version: Version) -> bool:
        inside = FROM_THE_START in events
        rest = [event for event in events if event != FROM_THE_START]
        bounds = [(self._version(limit), kind) for event in rest for kind, limit in event.items()]
        for bound, kind in sorted(bounds, key=lambda pair: pair[0]):
            if kind == "introduced":
                inside = inside or version >= bound
            elif kind == "fixed":
                inside = inside and version < bound
            elif kind == "last_affected":
                inside = inside and version <= bound
        return inside

    def _version(self, text: str) -> Version:
        return ECOSYSTEMS[self.ecosystem](text)


def read(database: str) -> Iterator[Advisory]:
    """Everything that a database has of the ecosystems that are known here, and has not withdrawn.

    Args:
        database: a folder, at any depth, of records and of zip files of records; such a zip file; or the URL of a copy
            of OSV's own, which has <ecosystem>/all.zip.

    Raises:
        LocalError: there is none, or what is there is no OSV record.
    """
    records = _at(database) if database.startswith(("https://", "http://")) else _in(Path(database))
    any_at_all = False
    for record in records:
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem") in ECOSYSTEMS and "withdrawn" not in record:
                any_at_all = True
                yield Advisory(record, package["ecosystem"], package["name"], affected)
    if not any_at_all:
        raise LocalError(f"no advisories: {database} has none about {', '.join(ECOSYSTEMS)}")


def _at(url: str) -> Iterator[dict[str, Any]]:
    for ecosystem in ECOSYSTEMS:
        # Of an ecosystem with releases there is one file for all of them.
        address = f"{url.rstrip('/')}/{ecosystem.partition(':')[0]}/all.zip"
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - `read` lets HTTP in alone
                content = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise LocalError(
                f"no advisories: {address} can't be had ({getattr(error, 'reason', error)}). Name a copy: "
                'make supply DO="vulnerabilities --database FOLDER"'
            ) from error
        yield from _zipped(io.BytesIO(content), address)


def _in(path: Path) -> Iterator[dict[str, Any]]:
    files = sorted(each for each in path.rglob("*") if each.suffix in (".json", ".zip")) if path.is_dir() else [path]
    if not files or not path.exists():
        raise LocalError(f"no advisories: {path} is no folder with OSV records (*.json), and no zip file of them")
    for file in files:
        if file.suffix == ".zip":
            yield from _zipped(file, str(file))
        else:
            yield from _records([file.read_bytes()], str(file))


def _zipped(file: Path | io.BytesIO, place: str) -> Iterator[dict[str, Any]]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith(".json")]
            yield from _records((archive.read(name) for name in names), place)
    except zipfile.BadZipFile as error:
        raise LocalError(f"no advisories: {place} is no zip file") from error


def _records(contents: Iterable[bytes], place: str) -> Iterator[dict[str, Any]]:
    for content in contents:
        try:
            record = json.loads(content)
        except ValueError as error:
            raise LocalError(f"no advisories: {place} has what is no JSON ({error})") from error
        if not isinstance(record, dict) or "id" not in record:
            raise LocalError(f"no advisories: {place} has what is no OSV record, without an `id`")
        yield record
