"""A block of work beside the iris model, for tests that change or break one: taking it out again trains nothing.

Its model has a name that the registry has never seen, so that its first version is a first one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from support import machine, versions

NAME = "probe"


class Probe:
    """One block of `training`; `settings` are those of the checkout with it, and with what is changed of it."""

    def __init__(self, folder: Path) -> None:
        self.model = f"{NAME}-{time.time_ns()}"
        self._folder = folder
        self._block: dict[str, Any] = {
            "dataset": "iris",
            "target": "species",
            "model": self.model,
            "parameters": {"C": 3.0, "max_iter": 500},
            "held_out": 0.25,
            "gate": {"threshold": 0.9},
        }

    def settings(self, **changes: Any) -> Path:
        return machine.settings("workloads", {"training": {NAME: self._block | changes}}, self._folder)

    def up(self, **changes: Any) -> machine.Done:
        return machine.up(self.settings(**changes))

    def version(self) -> str:
        """That of the champion."""
        return str(versions.champion(self.model).version)


def jobs() -> set[tuple[str, str]]:
    """Name and identity of each run of the team."""
    found = machine.client().list("batch/v1", "Job", "models")
    return {(job["metadata"]["name"], job["metadata"]["uid"]) for job in found}


def trained(runs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of them that train the probe."""
    return {run for run in runs if run[0].startswith(f"{NAME}-") and not run[0].startswith(f"{NAME}-gate-")}


def verdict() -> Mapping[str, Any]:
    """Of the probe's gate."""
    (name,) = (name for name, _ in jobs() if name.startswith(f"{NAME}-gate-"))
    return dict(json.loads(machine.client().get("v1", "ConfigMap", name, "models")["data"]["verdict.json"]))


def registered(model: str) -> list[ModelVersion]:
    return list(versions.tracking().search_model_versions(f"name='{model}'"))
