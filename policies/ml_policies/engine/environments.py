"""Levels and parameters of policies for one stack: environments/<stack>.toml, in the words of Pulumi's own policy
configuration, over the profile that it names: profiles/<profile>.toml. `--policy-pack-config` goes over both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_policies.engine.exemptions import SettingsError

FOLDER = Path(__file__).resolve().parents[2] / "environments"
PROFILES = "profiles"
"""The folder beside it, of settings that several stacks have."""
LEVEL, PROFILE = "enforcementLevel", "profile"


@dataclass(frozen=True)
class Settings:
    """What an environment says of one policy."""

    level: str | None = None
    """That of the policy itself where none is named."""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def load(stack: str, folder: Path = FOLDER) -> Mapping[str, Settings]:
    """By policy: what the file of the stack says, over what its profile says; nothing for a stack without a file: then
    what the policies themselves say holds.

    Raises:
        SettingsError: the file can't be read, or says something else.
    """
    path = folder / f"{stack}.toml"
    found = _read(path) if path.exists() else {}
    profile = found.pop(PROFILE, None)
    own = {name: _settings(f"{path}: {name}", given) for name, given in found.items()}
    return _over(_profile(path, profile), own) if profile is not None else own


def _profile(path: Path, name: Any) -> Mapping[str, Settings]:
    file = path.parent.parent / PROFILES / f"{name}.toml"
    if not file.exists():
        known = ", ".join(sorted(each.stem for each in file.parent.glob("*.toml"))) or "none"
        raise SettingsError(f"{path}: profile is {name!r}, of which there is no file in {PROFILES}/; there are {known}")
    return {policy: _settings(f"{file}: {policy}", given) for policy, given in _read(file).items()}


def _over(below: Mapping[str, Settings], above: Mapping[str, Settings]) -> Mapping[str, Settings]:
    """Level by level, and parameter by parameter."""
    none = Settings()
    return {
        name: Settings(
            above.get(name, none).level or below.get(name, none).level,
            {**below.get(name, none).parameters, **above.get(name, none).parameters},
        )
        for name in (*below, *(each for each in above if each not in below))
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} can't be read: {error}") from error


def _settings(place: str, given: Any) -> Settings:
    if isinstance(given, str):  # as Pulumi's own configuration says it in short
        return Settings(given)
    if not isinstance(given, dict):
        raise SettingsError(f"{place} is {given!r}; it must be an enforcement level, or a table: {LEVEL}, parameters")
    return Settings(given.get(LEVEL), {key: value for key, value in given.items() if key != LEVEL})
