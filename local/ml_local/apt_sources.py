"""Where this machine gets Debian from: its mirrors and proxies, for the private root and for whatever installs packages
into an image.

The release is the same on every machine. Mirrors are those of apt's own settings, where these are Debian's; foreign
repositories (another vendor's packages) are left out. Elsewhere a setting names one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ml_local.command import run
from ml_local.errors import LocalError

RELEASE = "bookworm"  # has the Python 3.11 that the pinned packages are for
BEFORE = "bullseye"  # whose keyring has the keys of RELEASE as well
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "ML_PLATFORM_DEBIAN_MIRROR"
OF_DEBIAN = re.compile(r"(bookworm|trixie|forky|stable|oldstable|oldoldstable|testing)(-updates|-security)?")
# `debian` and `debian-security`, as every mirror has them; a list of mirrors; one day of an archive of days.
ARCHIVE = re.compile(r"(https?|mirror\+file):.*/debian(-security)?(\.list)?(/\d{8}T\d{6}Z)?/*")


@dataclass(frozen=True)
class _Entry:
    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str

    @property
    def foreign(self) -> bool:
        """Whether it is something else than packages of Debian itself."""
        of_another_key = self.signed_by and "debian-archive" not in self.signed_by
        return bool(of_another_key) or not ARCHIVE.fullmatch(self.uri) or "main" not in self.components


def sources(folder: Path = Path("/etc/apt"), keyring: Path = KEYRING) -> list[str]:
    """The Debian mirrors of this machine, as lines of a sources.list that trusts `keyring` alone.

    Raises:
        LocalError: there is none.
    """
    found = {(uri, suite) for uri, suite in _named() or _of_machine(folder)}
    if not found:
        raise LocalError(
            f"no Debian mirror with the component main in {folder}/sources.list or {folder}/sources.list.d; the node's "
            f"tools and the images are made of Debian {RELEASE}. Name one, whose folder debian-security is beside it: "
            f"{MIRROR}=http://MIRROR/debian make up"
        )
    return [f"deb [signed-by={keyring}] {uri} {suite} main" for uri, suite in sorted(found)]


def proxies() -> list[str]:
    """The lines of apt's configuration that say how to reach its mirrors."""
    dump = run(["apt-config", "dump", "Acquire"]).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::https?::Proxy[: ]", line)]


def _named() -> list[tuple[str, str]]:
    """The suites of the mirror that the setting names.

    Raises:
        LocalError: it is no address of a mirror.
    """
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    if not mirror:
        return []
    if not re.fullmatch(r"https?://\S+", mirror):
        raise LocalError(f"{MIRROR}={mirror!r} is no http:// or https:// address of a Debian mirror's folder `debian`")
    return [(mirror, RELEASE), (mirror, f"{RELEASE}-updates"), (f"{mirror}-security", f"{RELEASE}-security")]


def _of_machine(folder: Path) -> Iterator[tuple[str, str]]:
    """Those of apt's settings, with the suite exchanged where the machine is of another release."""
    for entry in _entries(folder):
        suite = OF_DEBIAN.fullmatch(entry.suite)
        if suite and not entry.foreign:
            for uri in _listed(entry.uri):
                yield uri.rstrip("/"), f"{RELEASE}{suite[2] or ''}"


def _listed(uri: str) -> list[str]:
    """The address itself, or those in the list of mirrors that it names: an image has no such list."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    path = Path("/" + uri.removeprefix("mirror+file:").lstrip("/"))
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[0] for line in lines if line.startswith("http")]


def _entries(folder: Path) -> Iterator[_Entry]:
    for path in (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))):
        if path.exists():
            yield from _one_line_entries(path.read_text())
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        yield from _stanzas(path.read_text())


def _one_line_entries(text: str) -> Iterator[_Entry]:
    lines = re.findall(r"^deb[ \t]+(?:\[([^]]*)\][ \t]+)?(\S+)[ \t]+(\S+)[ \t]+(.*)$", text, re.MULTILINE)
    for options, uri, suite, components in lines:
        signed = re.search(r"signed-by=(\S+)", options)
        yield _Entry(uri, suite, tuple(components.split()), signed[1] if signed else "")


def _stanzas(text: str) -> Iterator[_Entry]:
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {name.lower(): value.split() for name, value in re.findall(r"^([\w-]+):((?:.|\n\s)*)$", stanza, re.M)}
        if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) == ["yes"]:
            components, signed = tuple(fields.get("components", [])), " ".join(fields.get("signed-by", []))
            yield from (_Entry(uri, suite, components, signed) for uri in fields["uris"] for suite in fields["suites"])
