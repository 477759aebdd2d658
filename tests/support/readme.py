"""What README shows, as a reader would copy it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from ml_local import paths


def fenced(language: str) -> Iterator[str]:
    """The blocks between fences of a language."""
    yield from re.findall(rf"^```{language}\n(.*?)^```$", _text(), flags=re.MULTILINE | re.DOTALL)


def indented() -> Iterator[str]:
    """The indented blocks: commands and settings."""
    for block in re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", _text(), flags=re.MULTILINE):
        yield dedent(block)


def _text() -> str:
    return (paths.checkout() / "README.md").read_text()
