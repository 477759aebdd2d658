"""Places of fields in an object: `spec.jobTemplate.spec`, in which a star stands for each element or value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ml_policies.engine.values import UnknownError, below, listed, mapped

Path = tuple[str, ...]


def path(text: str) -> Path:
    return tuple(text.split(".")) if text else ()


def fits(found: Path, pattern: Path) -> bool:
    """A star stands for any one step."""
    return len(found) == len(pattern) and all(want in ("*", step) for step, want in zip(found, pattern, strict=True))


def at(value: Any, pattern: Path) -> Iterator[tuple[Path, Any]]:
    """What there is at a place, each with where it is; then UnknownError if there may be more."""
    yield from _at(value, pattern, ())


def _at(value: Any, pattern: Path, here: Path) -> Iterator[tuple[Path, Any]]:
    if not pattern:
        yield here, value
        return
    hidden: UnknownError | None = None
    known, unknown = below(value) if pattern[0] == "*" or mapped(value) else ({}, {})
    for key, each in known.items():
        if pattern[0] in ("*", key):
            try:
                yield from _at(each, pattern[1:], (*here, key))
            except UnknownError as error:
                hidden = hidden or error
    for key, where in unknown.items():
        if pattern[0] in ("*", key):
            raise UnknownError(where)
    if hidden:
        raise hidden


def steps(value: Any, where: Path) -> Iterator[tuple[Path, Any]]:
    """Everything on the way to a place, and what is there."""
    yield (), value
    for length, step in enumerate(where, 1):
        if not (mapped(value) or listed(value)):
            return  # a text that was read, of which the rest of the place is
        value = value[int(step)] if listed(value) else value[step]
        yield where[:length], value
