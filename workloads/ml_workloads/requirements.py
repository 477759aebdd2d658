"""The reading of a requirements file whose packages are pinned by hash: which lines it may have, and what is refused.

Owns the rules, and the one form in which a line is handed on. It reads no file and asks no package index.
"""

import re
from collections.abc import Iterator

NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(\[[A-Za-z0-9._, -]+\])?"
VERSION = r"[A-Za-z0-9]+([.!+_-][A-Za-z0-9]+)*"
MARKER = r"""( ?; ?[\w\s"'.<>=!~(),+-]+?)?"""
PINNED = re.compile(rf"{NAME} ?== ?{VERSION}{MARKER}", re.ASCII)
HASH = re.compile(r"sha256:[0-9a-f]{64}")
HASHES = " --hash="
COMMENT = re.compile(r"(^|\s)#.*$")
HOSTS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host")
FILES = ("-r", "--requirement", "-c", "--constraint")
EDITABLE = ("-e", "--editable")


class RefusedLineError(ValueError):
    """A line that breaks a rule: its number, what stands there, and the rule."""

    def __init__(self, number: int, line: str, rule: str) -> None:
        super().__init__(f"line {number}, {line[:80]!r}: {rule}")


def lines(text: str) -> tuple[str, ...]:
    """What the file pins, a package each, without comments and with one space between words.

    Raises:
        RefusedLineError: a line is something else than a package with its version and its hashes.
    """
    return tuple(_checked(number, line) for number, line in _logical(text))


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, each with the number that it begins at; a backslash continues a line."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        begun = begun or number
        continued = line.endswith("\\")
        parts.append(COMMENT.sub("", line[:-1] if continued else line))
        if not continued:
            if words := " ".join(" ".join(parts).split()):
                yield begun, words
            begun, parts = 0, []
    if words := " ".join(" ".join(parts).split()):
        yield begun, words


def _checked(number: int, line: str) -> str:
    pinned, *hashes = line.split(HASHES)
    if rule := _broken(pinned, hashes):
        raise RefusedLineError(number, line, rule)
    return line


def _broken(pinned: str, hashes: list[str]) -> str | None:
    """The rule that a line breaks, if it breaks one."""
    option = re.split(r"[ =]", pinned)[0]
    if option in HOSTS:
        return (
            "packages come from the index that the build is given; an option that names a host is no part of the file"
        )
    if option in EDITABLE:
        return "an editable package has no hash"
    if option in FILES:
        return "it is one file, and names no other"
    if option.startswith("-"):
        return "it has packages alone, and no options"
    if "://" in pinned or " @ " in pinned or pinned.startswith(("git+", "hg+", "svn+", "bzr+", ".", "/", "file:")):
        return "a package from a URL, a repository or a folder has no hash of an index"
    if not hashes:
        return "it has no --hash=sha256:"
    if not all(map(HASH.fullmatch, hashes)):
        return "each hash is --hash=sha256: and 64 hex digits"
    if not PINNED.fullmatch(pinned):
        return "a package is pinned as name==version"
    return None
