"""Runs that go wrong: what a data scientist is told, and what goes on serving."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support import machine, outage

HOPELESS = {"C": 1e-6, "max_iter": 50}


def _train(changes: Mapping[str, Any], folder: Path) -> machine.Done:
    return machine.up(machine.settings("workloads", {"training": changes}, folder))


@pytest.fixture
def unchanged(platform: dict[str, Any]) -> Any:
    """The platform; afterwards the settings of the checkout are applied again."""
    yield platform
    done = machine.up()
    assert done.returncode == 0, done.stdout


def test_a_parameter_that_is_changed_trains_again_and_one_that_is_not_does_nothing(
    unchanged: dict[str, Any], tmp_path: Path
) -> None:
    jobs = _jobs()
    done = _train({"iris": {"parameters": {"C": 0.5}}}, tmp_path)
    assert done.returncode == 0, done.stdout
    assert _jobs() != jobs
    assert "Job iris replaced" in done.stdout
    again = _train({"iris": {"parameters": {"C": 0.5}}}, tmp_path)
    assert "unchanged" in again.stdout
    assert "replaced" not in again.stdout


def test_a_later_model_below_the_gate_is_a_warning_and_the_champion_goes_on_serving(
    unchanged: dict[str, Any], tmp_path: Path
) -> None:
    done = _train({"iris": {"parameters": HOPELESS}}, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "warning" in done.stdout.lower()
    assert "by its rule threshold" in done.stdout
    assert "is below 0.95" in done.stdout
    assert machine.outputs()["model_versions"] == unchanged["model_versions"]
    assert machine.make("predict").returncode == 0


def test_a_first_model_below_the_gate_is_an_error_with_its_numbers(unchanged: dict[str, Any], tmp_path: Path) -> None:
    rough = {"dataset": "iris", "target": "species", "parameters": HOPELESS, "gate": {"threshold": 0.99}}
    done = _train({"rough": rough}, tmp_path)
    assert done.returncode != 0
    assert "refused by its gate and there is no earlier champion" in done.stdout
    assert "0.99" in done.stdout
    assert "ml-platform:workloads" in done.stdout
    assert machine.make("predict").returncode == 0


def test_a_run_that_crashes_is_an_error_with_its_last_log_lines(unchanged: dict[str, Any], tmp_path: Path) -> None:
    broken = {"dataset": "iris", "target": "species", "parameters": {"C": -1.0}, "retries": 0}
    done = _train({"broken": broken}, tmp_path)
    assert done.returncode != 0
    assert "'C' parameter of LogisticRegression must be" in done.stdout


@pytest.mark.parametrize(
    ("kind", "name", "namespace"), [("Deployment", "mlflow", "mlflow"), ("StatefulSet", "s3", "storage")]
)
def test_a_service_that_is_away_for_a_while_is_waited_for(
    kind: str, name: str, namespace: str, unchanged: dict[str, Any], tmp_path: Path
) -> None:
    jobs = _jobs()
    with outage.away(kind, name, namespace):
        done = _train({"iris": {"seed": 7 if kind == "Deployment" else 8}}, tmp_path)
    assert done.returncode == 0, done.stdout
    assert _jobs() != jobs


@pytest.mark.long
def test_a_service_that_stays_away_is_named_in_a_clear_failure(unchanged: dict[str, Any], tmp_path: Path) -> None:
    outage.scale("Deployment", "mlflow", "mlflow", 0)
    try:
        done = _train({"iris": {"seed": 9, "retries": 0}}, tmp_path)
    finally:
        outage.scale("Deployment", "mlflow", "mlflow", 1)
        _wait_ready("Deployment", "mlflow", "mlflow")
    assert done.returncode != 0
    assert "MLflow" in done.stdout
    assert "is ready, then run this again" in done.stdout


@pytest.mark.parametrize(
    ("changes", "path", "allowed"),
    [
        ({"training": {"iris": {"colour": 1}}}, "training.iris.colour", "dataset"),
        ({"training": {"iris": {"held_out": 2}}}, "training.iris.held_out", "less than 1"),
        ({"training": {"iris": {"dataset": "mars"}}}, "training.iris.dataset", "iris"),
        ({"serving": {"iris": {"max_replicas": "many"}}}, "serving.iris.max_replicas", "integer"),
    ],
    ids=["unknown key", "out of range", "unknown name", "wrong type"],
)
def test_wrong_settings_are_refused_before_anything_is_done(
    changes: dict[str, Any], path: str, allowed: str, platform: dict[str, Any], tmp_path: Path
) -> None:
    done = machine.up(machine.settings("workloads", changes, tmp_path))
    assert done.returncode != 0
    assert path in done.stdout
    assert allowed in done.stdout
    assert "pulumi config " in done.stdout
    assert "created" not in done.stdout


def _jobs() -> set[str]:
    return {job["metadata"]["name"] for job in machine.client().list("batch/v1", "Job", "models")}


def _wait_ready(kind: str, name: str, namespace: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if machine.client().get("apps/v1", kind, name, namespace)["status"].get("readyReplicas"):
            return
        time.sleep(0.5)
    pytest.fail(f"{kind} {name} did not come back")
