"""Levels and parameters of policies for one stack: environments/<stack>.toml, in the words of Pulumi's own policy
configuration. `--policy-pack-config` goes over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_policies.engine.exemptions import SettingsError

FOLDER = Path(__file__).resolve().parents[2] / "environments"
LEVEL = "enforcementLevel"


@dataclass(frozen=True)
class Settings:
    """What an environment says of one policy."""

    level: str | None = None
    """That of the policy itself where none is named."""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def load(stack: str, folder: Path = FOLDER) -> Mapping[str, Settings]:
    """By policy; nothing for a stack without a file: then what the policies themselves say holds.

    Raises:
        SettingsError: the file can't be read, or says something else.
    """
    path = folder / f"{stack}.toml"
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    return {name: _settings(f"{path}: {name}", given) for name, given in found.items()}


def _settings(place: str, given: Any) -> Settings:
    if isinstance(given, str):  # as Pulumi's own configuration says it in short
        return Settings(given)
    if not isinstance(given, dict):
        raise SettingsError(f"{place} is {given!r}; it must be an enforcement level, or a table: {LEVEL}, parameters")
    return Settings(given.get(LEVEL), {key: value for key, value in given.items() if key != LEVEL})
