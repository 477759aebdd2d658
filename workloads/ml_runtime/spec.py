"""What the descriptions of all runs have in common: how a description is read, checked, and complained about.

A description is a JSON file that the stack writes and mounts from a ConfigMap. What is in it is the business of
learning_spec, gate_spec and etl_spec. It reads no environment and talks to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ml_runtime.errors import SpecError

PATH = Path("/etc/ml-platform/run.json")
VERDICT_KEY = "verdict.json"


@dataclass(frozen=True, kw_only=True)
class DataObject:
    """An object in the object store."""

    bucket: str
    key: str
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class VerdictPlace:
    """The ConfigMap that takes the verdict; without a name the verdict is only printed."""

    namespace: str
    configmap: str


def read(path: Path) -> Any:
    """A description as it is written.

    Raises:
        SpecError: the file is not there, or is not JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as missing:
        raise SpecError(
            f"can't read the run's description {path}: {missing.strerror}; mount it there or name it"
        ) from missing
    except ValueError as broken:
        raise SpecError(f"{path} is not JSON: {broken}") from broken


def parse_table(top: Block) -> tuple[tuple[str, ...], str]:
    """The columns of a run's table, and which of them is the target.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    columns = top.check(
        "columns", lambda v: isinstance(v, list) and len(set(v)) == len(v) > 1, "a list of distinct names"
    )
    return tuple(columns), top.check("target", lambda v: v in columns, f"one of the columns {columns}")


def parse_ending(top: Block) -> dict[str, Any]:
    """The fields `patience` and `verdict`.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    patience = top.check("patience", lambda v: is_number(v) and v > 0, "seconds, above 0", 120.0)
    raw = top.take("verdict", None)
    if raw is None:
        return {"patience": patience}
    place = Block("verdict.", raw, VerdictPlace)
    verdict = VerdictPlace(namespace=place.text("namespace"), configmap=place.text("configmap"))
    return {"patience": patience, "verdict": verdict}


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Block:
    """One JSON object of the description, with the path of its keys for messages."""

    def __init__(self, prefix: str, raw: object, shape: type[Any]) -> None:
        self._prefix = prefix
        if not isinstance(raw, Mapping):
            raise SpecError(f"{prefix.rstrip('.') or 'the description'} must be an object, not {type(raw).__name__}")
        allowed = {each.name for each in fields(shape)}
        if unknown := sorted(set(raw) - allowed):
            raise SpecError(f"unknown key {prefix}{unknown[0]}; allowed: {', '.join(sorted(allowed))}")
        self._raw = raw

    def take(self, key: str, *default: Any) -> Any:
        if key not in self._raw and not default:
            raise SpecError(f"{self._prefix}{key} is missing")
        return self._raw.get(key, *default)

    def check(self, key: str, good: Callable[[Any], bool], rule: str, *default: Any) -> Any:
        value = self.take(key, *default)
        if not good(value):
            raise SpecError(f"{self._prefix}{key} is {value!r}; it must be {rule}")
        return value

    def text(self, key: str, *default: str) -> str:
        value: str = self.check(key, lambda v: isinstance(v, str) and bool(v or default), "a text", *default)
        return value
