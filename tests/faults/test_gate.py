"""What goes wrong while a gate judges: it is changed, it is killed, services are away, the model can't be served."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from ml_local.node.layout import layout
from ml_platform.kube import Object
from support import machine, outage
from support.probe import NAME, Probe, jobs, registered, verdict
from support.until import while_running

SERVICES = [("Deployment", "mlflow", "mlflow"), ("StatefulSet", "s3", "storage")]


def test_a_changed_gate_judges_again_and_trains_nothing_while_a_second_up_is_refused(probe: Probe) -> None:
    before = jobs()
    first = machine.start_up(probe.settings(gate={"at_least": 0.91}))
    locks = layout().state / "pulumi" / "backend" / ".pulumi" / "locks"
    while_running(first, lambda: list(locks.rglob("*.json")), "the first `pulumi up` has not locked the stack")
    second = machine.up()
    assert second.returncode != 0
    assert "the stack is currently locked by 1 lock" in second.stdout
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    assert jobs() != before
    assert {name for name, _ in jobs() ^ before if not name.startswith(f"{NAME}-gate-")} == set()
    found = verdict()
    assert (found["accepted"], found["numbers"]["threshold"]) == (True, 0.91)
    assert "champion_accuracy" not in found["numbers"]  # it is the champion itself
    assert probe.version() == "1"


def test_a_refresh_of_a_finished_chain_changes_nothing_and_reruns_nothing(probe: Probe) -> None:
    config = probe.settings()
    assert machine.up(config).returncode == 0
    before = jobs()
    words = ("pulumi", "up", "--refresh", "--expect-no-changes", "--stack", "local", "--yes", "--skip-preview")
    done = machine.tool(*words, "--non-interactive", "--config-file", str(config))
    assert done.returncode == 0, done.stdout
    assert jobs() == before


@pytest.mark.parametrize(
    "moment",
    [pytest.param("", marks=pytest.mark.long, id="at its start"), pytest.param("judged: ", id="while it registers")],
)
def test_a_gate_that_is_killed_is_started_again_and_registers_nothing_twice(moment: str, probe: Probe) -> None:
    model = f"killed-{time.time_ns()}"
    process = machine.start_up(probe.settings(model=model))
    gate = while_running(process, lambda: gate_that_said(moment), f"the gate has not said {moment!r}")
    os.kill(int(gate or 0), signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert sorted(pod["status"]["phase"] for pod in gates()) == ["Failed", "Succeeded"]
    assert [version.version for version in registered(model)] == ["1"]
    assert verdict()["outputs"] == {"champion": "1", "version": "1"}


@pytest.mark.long  # in test_runs the training waits for them
def test_services_that_are_away_while_the_gate_judges_are_waited_for(probe: Probe) -> None:
    with ExitStack() as services:
        for service in SERVICES:
            services.enter_context(outage.away(*service))
        done = probe.up(gate={"at_least": 0.92})
    assert done.returncode == 0, done.stdout
    assert verdict()["accepted"]


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        pytest.param({}, "by its rule flavour: it is loaded by mlflow.pyfunc", id="code"),
        pytest.param(
            {"flavours": ["pyfunc"]}, "by its rule serving-image: the serving image can't use the model", id="not there"
        ),
    ],
)
def test_a_model_that_no_server_may_load_or_can_load_is_refused(gate: dict[str, Any], words: str, probe: Probe) -> None:
    done = probe.up(script="tests/faults/programs/columnar.py", parameters={}, gate={"at_least": 0.9, **gate})
    assert done.returncode == 0, done.stdout
    assert words in done.stdout
    assert ("No module named 'pyarrow'" in done.stdout) is bool(gate)
    assert probe.version() == "1"


def gate_that_said(words: str) -> int | None:
    """The process of the gate that runs, once its log has these words."""
    names = [pod["metadata"]["name"] for pod in gates() if pod["status"].get("phase") == "Running"]
    if not names or words not in machine.client().logs("models", names[0], tail=100):
        return None
    # It asks models in forks of itself, which have higher numbers.
    for path in sorted(Path("/proc").glob("[0-9]*/cmdline"), key=lambda path: int(path.parent.name)):
        with suppress(OSError):
            if path.read_bytes().split(b"\0")[:3] == [b"python", b"-m", b"ml_runtime.register"]:
                return int(path.parent.name)
    return None


def gates() -> list[Object]:
    """The pods of the probe's gate."""
    return list(machine.client().list("v1", "Pod", "models", labels=f"app={NAME}-gate"))
