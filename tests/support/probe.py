"""A run, a model and its gate beside those of iris, for tests that change or break one: taking them out again trains
nothing.

The model has a name that the registry has never seen, so that its first version is a first one.
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
    """The settings of the checkout with the run `probe`, and with what is changed of it, of its gate or of its data."""

    def __init__(self, folder: Path) -> None:
        self.model = f"{NAME}-{time.time_ns()}"
        self._folder = folder

    def settings(
        self,
        *,
        model: str | None = None,
        gate: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        **run: Any,
    ) -> Path:
        """Learns iris without `data`; judged by an accuracy of at least 0.9 without `gate`."""
        named = model or self.model
        learned = {"data": NAME if data else "iris", "model": named, "parameters": {"C": 3.0, "max_iter": 500}}
        blocks = {
            "data": {NAME: data} if data else {},
            "runs": {NAME: learned | run},
            "models": {named: {"gate": gate or {"at_least": 0.9}}},
        }
        return machine.settings("workloads", blocks, self._folder)

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


def tries() -> int:
    """How often its newest run was started."""
    found = machine.client().list("batch/v1", "Job", "models", labels=f"app={NAME}")
    newest = max(found, key=lambda job: str(job["metadata"]["creationTimestamp"]))["metadata"]["name"]
    return len(machine.client().list("v1", "Pod", "models", labels=f"batch.kubernetes.io/job-name={newest}"))


def verdict() -> Mapping[str, Any]:
    """Of the probe's gate."""
    (name,) = (name for name, _ in jobs() if name.startswith(f"{NAME}-gate-"))
    return dict(json.loads(machine.client().get("v1", "ConfigMap", name, "models")["data"]["verdict.json"]))


def registered(model: str) -> list[ModelVersion]:
    return list(versions.tracking().search_model_versions(f"name='{model}'"))
