"""Old inputs against new ones, with what makes the engine replace the object. No cluster is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubernetes_provider import paths
from kubernetes_provider.paths import Path
from kubernetes_provider.values import is_unknown


class Kind(Enum):
    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True)
class Change:
    path: Path
    kind: Kind
    replaces: bool

    @property
    def name(self) -> str:
        return paths.render(self.path)


def changes(
    old: dict[str, Any], new: dict[str, Any], replaced_for: tuple[str, ...], ignored: list[str]
) -> list[Change]:
    patterns = [tuple("*" if part == "[]" else part for part in _steps(text)) for text in replaced_for]
    hidden = [paths.parse(text) for text in ignored]
    return [
        Change(path, kind, any(_touches(path, pattern, (before, after)) for pattern in patterns))
        for path, kind, before, after in _walk((), old, new)
        if not any(paths.covers(pattern, path) for pattern in hidden)
    ]


def _steps(text: str) -> list[str]:
    return text.replace("[]", ".[]").split(".")


def _walk(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Kind, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _walk((*path, key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before, after = (side[index] if index < len(side) else None for side in (old, new))
            yield from _walk((*path, index), before, after)
    elif not _equal(old, new):
        kind = Kind.ADD if old is None else Kind.DELETE if new is None else Kind.UPDATE
        yield path, kind, old, new


def _equal(old: Any, new: Any) -> bool:
    return old is new or (bool not in (type(old), type(new)) and bool(old == new))


def _touches(path: Path, pattern: Path, values: tuple[Any, Any]) -> bool:
    if paths.covers(pattern, path):
        return True
    # A whole map came or went (or is not known yet): only what it holds of the pattern counts.
    rest = pattern[len(path) :]
    return paths.covers(path, pattern[: len(path)]) and any(
        is_unknown(value) or _holds(value, rest) for value in values
    )


def _holds(value: Any, rest: Path) -> bool:
    if not rest:
        return value is not None
    if rest[0] == paths.ANY:
        return isinstance(value, list) and any(_holds(item, rest[1:]) for item in value)
    return isinstance(value, dict) and _holds(value.get(rest[0]), rest[1:])
