"""What the descriptions of all runs have in common: how a description is read, checked, and complained about.

A description is a JSON file that the stack writes and mounts from a ConfigMap. All have

    {
      "run": "iris-3f2a9c1d",              key of the run: same key, same run, one outcome
      "patience": 120,                     optional: seconds to go on trying while MLflow or the store is away
      "code_version": "sha256:...",        optional: what ran, for the record: image digest or commit
      "verdict": {                         optional: without it the verdict is only printed
        "namespace": "models", "configmap": "iris-3f2a9c1d"
      }
    }

and what learning_spec, gate_spec and etl_spec add. This module reads no environment and talks to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ml_runtime.errors import SpecError

PATH = Path("/etc/ml-platform/run.json")
VERDICT_KEY = "verdict.json"


@dataclass(frozen=True, kw_only=True)
class VerdictPlace:
    """The ConfigMap that takes the verdict; without a name the verdict is only printed."""

    namespace: str
    configmap: str


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What the descriptions of all runs have."""

    run: str
    patience: float = 120.0
    code_version: str = ""
    verdict: VerdictPlace | None = None


def parse_run(top: Block) -> dict[str, Any]:
    """The fields of RunSpec, checked.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    found = {
        "run": top.text("run"),
        "code_version": top.text("code_version", ""),
        "patience": top.check("patience", lambda v: is_number(v) and v > 0, "seconds, above 0", 120.0),
    }
    raw = top.take("verdict", None)
    if raw is None:
        return found
    place = Block("verdict.", raw, VerdictPlace)
    return {**found, "verdict": VerdictPlace(namespace=place.text("namespace"), configmap=place.text("configmap"))}


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


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


class Block:
    """One JSON object of the description, with the path of its keys for messages."""

    def __init__(self, prefix: str, raw: object, shape: type[Any] | Collection[str]) -> None:
        self._prefix = prefix
        if not isinstance(raw, Mapping):
            raise SpecError(f"{prefix.rstrip('.') or 'the description'} must be an object, not {type(raw).__name__}")
        allowed = {each.name for each in fields(shape)} if isinstance(shape, type) else set(shape)
        if unknown := sorted(set(raw) - allowed):
            raise SpecError(f"unknown key {prefix}{unknown[0]}; allowed: {', '.join(sorted(allowed))}")
        self._raw = raw

    def path(self, key: str) -> str:
        """A key as messages name it."""
        return f"{self._prefix}{key}"

    def inner(self, key: str, keys: Collection[str]) -> Block:
        """The object under a key, which has no other keys than these."""
        return Block(f"{self.path(key)}.", self.take(key), keys)

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
