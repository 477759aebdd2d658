"""What a Go command was linked from, by what the linker wrote into it; licences by what is in Go's module cache, where
the modules of commands that are linked here lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from cyclonedx.model.component import Component
from ml_local import toolchains
from packageurl import PackageURL

from ml_supply import licences
from ml_supply.package import library

ELF = b"\x7fELF"
MAGIC = re.compile(rb"\xff Go buildinf:.\x02", re.DOTALL)
HEADER, SENTINEL = 32, 16
"""Of debug/buildinfo: in front of the two strings, and around the second."""
RELEASED = "build\tvcs.revision="
"""Of a command that its project linked in a checkout of its own: what is linked here notes no commit."""
NOT_SEEN = "LicenseRef-not-seen"
LICENCE = re.compile(r"(licen[cs]e|copying)([.-].*)?", re.IGNORECASE)


def linked(binary: bytes) -> Iterator[Component]:
    """Its modules, the one that it is a command of too, and the standard library; nothing of what is no Go command."""
    found = MAGIC.search(binary) if binary.startswith(ELF) else None
    if not found:
        return
    version, rest = _string(binary, found.start() + HEADER)
    yield _module("stdlib", version.decode().removeprefix("go").partition(" ")[0])
    lines = _string(binary, rest)[0][SENTINEL:-SENTINEL].decode().splitlines()
    released = any(line.startswith(RELEASED) for line in lines)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        _, *words = (following if following.startswith("=>") else line).split("\t")
        # A folder in its place has no version, nor has a module of this repository.
        if line.startswith(("mod\t", "dep\t")) and words[1].startswith("v"):
            yield _module(words[0], words[1], released)


@cache  # most commands share most modules
def _module(path: str, version: str, released: bool = False) -> Component:
    namespace, _, name = path.rpartition("/")
    purl = PackageURL("golang", namespace, name, version)
    return library(purl, licence=licences.terms().by_hand(purl) or (NOT_SEEN if released else _written(path, version)))


def _written(path: str, version: str) -> str:
    source = toolchains.module_source(path, version)
    files = sorted(file for file in source.glob("*") if LICENCE.fullmatch(file.name) and file.is_file())
    return licences.terms().written(file.read_text(errors="replace") for file in files)


def _string(binary: bytes, start: int) -> tuple[bytes, int]:
    """A string that its length precedes, and where it ends."""
    length = shift = 0
    while True:
        byte = binary[start]
        start, length, shift = start + 1, length | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return binary[start : start + length], start + length
