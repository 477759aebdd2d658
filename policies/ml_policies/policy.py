"""What a rule is: a name, what it asks for and why, and the check of one manifest."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`check` yields a sentence for each problem: what was found, and what to do."""

    name: str
    description: str
    check: Callable[[Manifest], Iterator[str]]
