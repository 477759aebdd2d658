"""What README, and the page about the work, show, as a reader would copy it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml_local import paths

WORK = "docs/work.md"


def fenced(language: str, page: str = "README.md") -> Iterator[str]:
    """The blocks between fences of a language."""
    yield from re.findall(rf"^```{language}\n(.*?)^```$", text(page), flags=re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """What stands under a heading of the second level, up to the next."""
    return text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def text(page: str = "README.md") -> str:
    return (paths.checkout() / page).read_text()
