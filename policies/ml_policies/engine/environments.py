"""Levels and parameters of policies for one stack: environments/<stack>.toml, in the words of Pulumi's own policy
configuration. `--policy-pack-config` goes over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_policies.engine.exemptions import SettingsError

FOLDER = Path(__file__).resolve().parents[2] / "environments"
LEVEL = "enforcementLevel"


def load(stack: str, folder: Path = FOLDER) -> Mapping[str, Mapping[str, Any]]:
    """By policy; nothing for a stack without a file: then what the policies themselves say holds.

    Raises:
        SettingsError: the file can't be read.
    """
    path = folder / f"{stack}.toml"
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
