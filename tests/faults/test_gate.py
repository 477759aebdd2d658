"""What goes wrong while a gate judges: it is killed, services are away, the model is of no use to the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ml_local import environment
from ml_local.node.layout import layout
from ml_platform.kube import Object
from mlflow import MlflowClient
from support import machine

AWAY = 20.0
SERVICES = [("Deployment", "mlflow", "mlflow"), ("StatefulSet", "s3", "storage")]


@pytest.fixture
def unchanged(platform: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The platform; afterwards the settings of the checkout are applied again."""
    yield platform
    done = machine.up()
    assert done.returncode == 0, done.stdout


def settings(iris: Mapping[str, Any], folder: Path) -> Path:
    """Those of the checkout, the training of iris changed."""
    return machine.settings("workloads", {"training": {"iris": iris}}, folder)


def test_a_gate_that_is_changed_judges_again_and_nothing_is_trained(unchanged: dict[str, Any], tmp_path: Path) -> None:
    before = jobs()
    done = machine.up(settings({"gate": {"threshold": 0.91}}, tmp_path))
    assert done.returncode == 0, done.stdout
    assert {name for name, _ in jobs() ^ before if not name.startswith("iris-gate-")} == set()
    assert jobs() != before
    found = verdict()
    assert (found["accepted"], found["numbers"]["threshold"]) == (True, 0.91)
    assert "champion_accuracy" not in found["numbers"]  # it is the champion itself
    assert machine.outputs()["model_versions"] == unchanged["model_versions"]


@pytest.mark.parametrize(
    "moment",
    [pytest.param("", marks=pytest.mark.long, id="at its start"), pytest.param("judged: ", id="while it registers")],
)
def test_a_gate_that_is_killed_is_started_again_and_registers_nothing_twice(
    moment: str, unchanged: dict[str, Any], tmp_path: Path
) -> None:
    model = f"killed-{time.time_ns()}"
    changes = {"training": {"iris": {"model": model}}, "serving": {"iris": {"model": {"name": model}}}}
    process = machine.start_up(machine.settings("workloads", changes, tmp_path))
    os.kill(eventually(lambda: gate_that_said(moment), process), signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    phases = sorted(pod["status"]["phase"] for pod in gates())
    assert phases == ["Failed", "Succeeded"]
    assert [version.version for version in registered(model)] == ["1"]
    assert verdict()["champion"] == "1"


@pytest.mark.long  # in test_runs the training waits for them
@pytest.mark.parametrize(("kind", "name", "namespace"), SERVICES)
def test_a_service_that_is_away_while_the_gate_judges_is_waited_for(
    kind: str, name: str, namespace: str, unchanged: dict[str, Any], tmp_path: Path
) -> None:
    scale(kind, name, namespace, 0)
    back = threading.Timer(AWAY, scale, (kind, name, namespace, 1))
    back.start()
    try:
        done = machine.up(settings({"gate": {"threshold": 0.92 if kind == "Deployment" else 0.93}}, tmp_path))
    finally:
        back.join()
    assert done.returncode == 0, done.stdout
    assert verdict()["accepted"]
    assert machine.outputs()["model_versions"] == unchanged["model_versions"]


def test_a_model_that_the_serving_image_can_not_load_is_refused(unchanged: dict[str, Any], tmp_path: Path) -> None:
    own = {"script": "tests/faults/programs/pickled.py", "estimator": None}
    done = machine.up(settings(own, tmp_path))
    assert done.returncode == 0, done.stdout
    assert "by its rule serving-image: the serving image can't use the model" in done.stdout
    assert "No module named 'mine'" in done.stdout
    assert machine.outputs()["model_versions"] == unchanged["model_versions"]
    assert machine.make("predict").returncode == 0


def test_a_refresh_of_a_finished_chain_changes_nothing_and_reruns_nothing(platform: dict[str, Any]) -> None:
    assert machine.up().returncode == 0
    before = jobs()
    words = ("pulumi", "up", "--refresh", "--expect-no-changes", "--stack", "local", "--yes", "--skip-preview")
    done = machine.tool(*words, "--non-interactive")
    assert done.returncode == 0, done.stdout
    assert jobs() == before


def test_a_second_pulumi_up_is_refused_and_the_first_goes_on(unchanged: dict[str, Any], tmp_path: Path) -> None:
    first = machine.start_up(settings({"gate": {"threshold": 0.94}}, tmp_path))
    locks = layout().state / "pulumi" / "backend" / ".pulumi" / "locks"
    eventually(lambda: list(locks.rglob("*.json")), first)
    second = machine.up()
    assert second.returncode != 0
    assert "the stack is currently locked by 1 lock" in second.stdout
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    assert verdict()["numbers"]["threshold"] == 0.94


def eventually(look: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """What `look` finds while the process runs."""
    deadline = time.monotonic() + 300
    while not (found := look()):
        if process.poll() is not None:
            output, _ = process.communicate()
            pytest.fail(f"it ended too early:\n{output}")
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def gate_that_said(words: str) -> int | None:
    """The process of the gate that runs, once its log has these words."""
    names = [pod["metadata"]["name"] for pod in gates() if pod["status"].get("phase") == "Running"]
    if not names or words not in machine.client().logs("models", names[0], tail=100):
        return None
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes().split(b"\0")[:3] == [b"python", b"-m", b"ml_runtime.register"]:
                return int(path.parent.name)
    return None


def gates() -> list[Object]:
    """The pods of the gate of iris."""
    return list(machine.client().list("v1", "Pod", "models", labels="app=iris-gate"))


def jobs() -> set[tuple[str, str]]:
    found = machine.client().list("batch/v1", "Job", "models")
    return {(job["metadata"]["name"], job["metadata"]["uid"]) for job in found}


def verdict() -> dict[str, Any]:
    """Of the gate of iris."""
    (name,) = (name for name, _ in jobs() if name.startswith("iris-gate-"))
    return dict(json.loads(machine.client().get("v1", "ConfigMap", name, "models")["data"]["verdict.json"]))


def registered(model: str) -> list[Any]:
    client = MlflowClient(environment.variables(layout())["MLFLOW_TRACKING_URI"])
    return list(client.search_model_versions(f"name='{model}'"))


def scale(kind: str, name: str, namespace: str, replicas: int) -> None:
    machine.client().patch("apps/v1", kind, name, namespace, {"spec": {"replicas": replicas}})
    deadline = time.monotonic() + 60
    while replicas == 0 and machine.client().get("apps/v1", kind, name, namespace)["status"].get("replicas"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
