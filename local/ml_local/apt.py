"""This machine's apt over lists of its own: which Debian packages there are now, and their archives.

Owns a folder and what apt keeps in it. It neither reads nor writes what the machine has installed, and none of its
settings but its mirrors and proxies.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml_local import apt_sources, paths
from ml_local.command import run
from ml_local.errors import LocalError

KEYRING_PACKAGE = "debian-archive-keyring"
HINT = (
    f"The Debian package registry must answer: look at /etc/apt/sources.list and {apt_sources.MIRROR}, and try "
    "`apt-get update`."
)
KEYRING_HINT = (
    f"Debian's keys are in the package {KEYRING_PACKAGE}, which this machine's own mirrors must have (on Ubuntu the "
    f"component universe): `apt-get install {KEYRING_PACKAGE}`, then again."
)
OF_MACHINE = {
    "APT::Update::Error-Mode": "any",
    "Acquire::GzipIndexes": "false",  # each look into a compressed one costs a second
    "Acquire::Languages": "none",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
}
OF_NOTHING_ELSE = {
    "Dir::Etc::sourceparts": "-",
    "Dir::Etc::preferences": "-",
    "Dir::Etc::preferencesparts": "-",
    "APT::Default-Release": "",
}


class Apt:
    """apt without a package that is installed, so that it names all that a package needs."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`, which is made anew."""
        self._folder, self._keyring = folder, folder / "keyring.gpg"
        self._options: list[str] = []
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("lists/partial", "archives/partial"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()

    def update(self) -> None:
        """Ask the mirrors what there is.

        Raises:
            LocalError: this machine has no mirror of Debian or none of Debian's keys, or the mirror does not answer.
        """
        self._options = self._settings(OF_MACHINE)
        lines = apt_sources.sources(keyring=self._keyring)
        if apt_sources.KEYRING.exists():
            shutil.copyfile(apt_sources.KEYRING, self._keyring)
        else:
            self._apt_get("update", hint=KEYRING_HINT)
            self._fetch_keyring()
        try:
            self._list(lines)
        except LocalError as failed:
            if "NO_PUBKEY" not in str(failed):
                raise
            # Keys of a machine that is older than the release: the release before it has the newer ones.
            before = [line.replace(f" {apt_sources.RELEASE} ", f" {apt_sources.BEFORE} ") for line in lines]
            self._list([line for line in before if f" {apt_sources.BEFORE} " in line])
            self._fetch_keyring()
            self._list(lines)

    def resolve(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those packages and all that they need, each as `name=version`.

        Raises:
            LocalError: Debian has no such package.
        """
        found = self._apt_get("install", "--simulate", "--no-install-recommends", *names)
        return tuple(sorted("=".join(pair) for pair in re.findall(r"^Inst (\S+) \((\S+) ", found, re.MULTILINE)))

    def download(self, packages: Sequence[str]) -> list[Path]:
        """The archives of packages, each given as `name=version`.

        Raises:
            LocalError: a mirror does not answer, or has another version meanwhile.
        """
        self._apt_get("install", "--yes", "--no-install-recommends", "--download-only", *packages)
        return sorted((self._folder / "archives").glob("*.deb"))

    def _fetch_keyring(self) -> None:
        """Have Debian's keys, as the package of a mirror whose keys are trusted already."""
        self._apt_get("download", KEYRING_PACKAGE, hint=KEYRING_HINT)
        (archive,) = self._folder.glob(f"{KEYRING_PACKAGE}_*.deb")
        run(["dpkg-deb", "--extract", archive, self._folder / "keys"])
        archive.unlink()
        shutil.copyfile(self._folder / "keys" / apt_sources.KEYRING.relative_to("/"), self._keyring)

    def _list(self, lines: Sequence[str]) -> None:
        """Know of the packages of these lines of a sources.list, and of no others."""
        sources = self._folder / "sources.list"
        sources.write_text("\n".join(lines) + "\n")
        self._options = self._settings({**OF_MACHINE, **OF_NOTHING_ELSE, "Dir::Etc::sourcelist": sources})
        self._apt_get("update")

    def _settings(self, more: Mapping[str, str | Path]) -> list[str]:
        settings = {
            "Dir::State::lists": self._folder / "lists",
            "Dir::State::status": self._folder / "status",
            "Dir::Cache::archives": self._folder / "archives",
            "Dir::Cache::pkgcache": self._folder / "pkgcache.bin",
            "Dir::Cache::srcpkgcache": self._folder / "srcpkgcache.bin",
            "APT::Sandbox::User": "root",
        }
        return [word for key, value in {**settings, **more}.items() for word in ("-o", f"{key}={value}")]

    def _apt_get(self, *words: str, hint: str = HINT) -> str:
        log = paths.cache() / "logs" / "debian.log"
        return run(["apt-get", *self._options, "-qq", *words], cwd=self._folder, log=log, hint=hint).stdout
