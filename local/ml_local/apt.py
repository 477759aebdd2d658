"""This machine's apt over lists of its own: which Debian packages there are now, and their archives.

Owns a folder and what apt keeps in it. It neither reads nor writes what the machine has installed, and none of its
settings but its mirrors and proxies.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from ml_local import apt_sources, paths
from ml_local.command import run

KEYRING_PACKAGE = "debian-archive-keyring"
HINT = (
    f"The Debian package registry must answer: look at /etc/apt/sources.list and {apt_sources.MIRROR}, and try "
    "`apt-get update`."
)
KEYRING_HINT = (
    f"Debian's keys are in the package {KEYRING_PACKAGE}, which this machine's own mirrors must have (on Ubuntu the "
    f"component universe): `apt-get install {KEYRING_PACKAGE}`, then again."
)


class Apt:
    """apt without a package that is installed, so that it names all that a package needs."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`, which is made anew."""
        self._folder = folder
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
        self._options = self._settings(
            {
                "APT::Update::Error-Mode": "any",
                "Acquire::GzipIndexes": "false",  # each look into a compressed one costs a second
                "Acquire::Languages": "none",
                "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            }
        )
        keyring = apt_sources.KEYRING if apt_sources.KEYRING.exists() else None
        lines = apt_sources.sources(keyring=keyring or self._fetch_keyring())
        (self._folder / "sources.list").write_text("\n".join(lines) + "\n")
        self._options += self._settings(
            {
                "Dir::Etc::sourcelist": self._folder / "sources.list",
                "Dir::Etc::sourceparts": "-",
                "Dir::Etc::preferences": "-",
                "Dir::Etc::preferencesparts": "-",
                "APT::Default-Release": "",
            }
        )
        self._apt_get("update")

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

    def _fetch_keyring(self) -> Path:
        """Debian's keys, as a package that the machine's own mirrors vouch for."""
        self._apt_get("update", hint=KEYRING_HINT)
        self._apt_get("download", KEYRING_PACKAGE, hint=KEYRING_HINT)
        (archive,) = self._folder.glob(f"{KEYRING_PACKAGE}_*.deb")
        run(["dpkg-deb", "--extract", archive, self._folder / "keyring"])
        return self._folder / "keyring" / apt_sources.KEYRING.relative_to("/")

    def _settings(self, more: dict[str, str | Path]) -> list[str]:
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
