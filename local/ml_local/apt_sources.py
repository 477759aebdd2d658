"""Where this machine gets Debian from: its mirrors and proxies, for whatever installs packages into an image.

Reads apt's own settings; foreign repositories (another vendor's packages) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ml_local.command import run
from ml_local.errors import LocalError

RELEASE = "bookworm"  # has the Python 3.11 that the pinned packages are for
SUITES = (RELEASE, f"{RELEASE}-updates", f"{RELEASE}-security")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def sources(folder: Path = Path("/etc/apt")) -> list[str]:
    """The Debian mirrors of this machine, as lines of a sources.list.

    Raises:
        LocalError: there is none for this release.
    """
    signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
    lines = [f"deb{signed} {uri} {suite} main" for uri, suite in _entries(folder) if suite in SUITES]
    if not lines:
        raise LocalError(
            f"no Debian {RELEASE} source with the component main in {folder}/sources.list or {folder}/sources.list.d; "
            f"images are built from it. Add one: echo 'deb <a Debian mirror> {RELEASE} main' > "
            f"{folder}/sources.list.d/{RELEASE}.list"
        )
    return sorted(set(lines))


def proxies() -> list[str]:
    """The lines of apt's configuration that say how to reach its mirrors."""
    dump = run(["apt-config", "dump", "Acquire"]).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::https?::Proxy[: ]", line)]


def _entries(folder: Path) -> Iterator[tuple[str, str]]:
    for path in (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))):
        if path.exists():
            yield from _one_line_entries(path.read_text())
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        yield from _stanzas(path.read_text())


def _one_line_entries(text: str) -> Iterator[tuple[str, str]]:
    for uri, suite, components in re.findall(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$", text, re.MULTILINE):
        if "main" in components.split():
            yield uri, suite


def _stanzas(text: str) -> Iterator[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {name.lower(): value.split() for name, value in re.findall(r"^([\w-]+):((?:.|\n\s)*)$", stanza, re.M)}
        binary = "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) == ["yes"]
        if binary and "main" in fields.get("components", []):
            yield from ((uri, suite) for uri in fields["uris"] for suite in fields["suites"])
