"""Ctrl-C and `kill -9` at any moment of `make up`: the next one goes on, nothing is doubled or orphaned."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_local import paths
from ml_local.node import cgroup, node
from ml_local.node.layout import layout
from ml_platform.kube import KubeError
from support import machine


def _seen(kind: str, name: str, namespace: str, api: str = "v1") -> Callable[[], bool]:
    def look() -> bool:
        try:
            machine.client().get(api, kind, name, namespace)
        except (KubeError, OSError, ValueError):
            return False
        return True

    return look


def _job(name: str) -> Callable[[], bool]:
    def look() -> bool:
        try:
            return bool(machine.client().list("batch/v1", "Job", "models", labels=f"app={name}"))
        except (KubeError, OSError, ValueError):
            return False

    return look


MOMENTS: list[tuple[str, Callable[[], bool], int]] = [
    ("the node is starting", lambda: (layout().run / "daemons/etcd.json").exists(), signal.SIGKILL),
    ("images are pushed", lambda: (layout().data / "registry").exists(), signal.SIGINT),
    ("a password is there and its database is not", _seen("Secret", "postgres", "mlflow"), signal.SIGKILL),
    ("the platform is coming up", _seen("Deployment", "controller", "knative-serving", "apps/v1"), signal.SIGINT),
    ("the data are loaded", _job("dataset-iris"), signal.SIGKILL),
    ("the model trains", _job("iris"), signal.SIGKILL),
    ("its gate judges it", _job("iris-gate"), signal.SIGKILL),
]


def test_a_killed_start_is_gone_on_with() -> None:
    assert machine.make("down").returncode == 0
    for moment, reached, number in MOMENTS:
        process = machine.start("up")
        _until(reached, process, moment)
        _end(process, number)
    done = machine.make("up", timeout=3000)
    assert done.returncode == 0, done.stdout
    assert cgroup.processes(cgroup.COMMANDS) == set()
    names = [job["metadata"]["name"] for job in machine.client().list("batch/v1", "Job", "models")]
    assert len(names) == len(set(names)) == 3, names
    assert machine.outputs()["model_versions"] == {"iris": "1"}
    preview = machine.tool("pulumi", "preview", "--stack", "local", "--expect-no-changes", "--non-interactive")
    assert preview.returncode == 0, preview.stdout


def test_two_at_once_are_refused_and_the_first_goes_on(platform: dict[str, Any]) -> None:
    first = machine.start("up")
    deadline = time.monotonic() + 60
    while "`make up`" not in (paths.cache() / "lock").read_text():
        assert time.monotonic() < deadline, "the first never began"
        time.sleep(0.02)
    second = machine.make("stop")
    assert second.returncode != 0
    assert "`make up`, pid" in second.stdout
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output


def test_a_node_that_was_killed_comes_back_with_its_data(mended: dict[str, Any]) -> None:
    before = machine.outputs()
    for pid in cgroup.processes():
        _kill(pid)
    time.sleep(1)
    assert not node.running(layout())
    assert machine.make("status").returncode != 0
    done = machine.make("up", timeout=900)
    assert done.returncode == 0, done.stdout
    assert machine.outputs() == before
    assert "created" not in done.stdout


def test_a_daemon_that_was_killed_is_started_again(mended: dict[str, Any]) -> None:
    from ml_local.node import daemons

    daemons.kill(layout(), "kube-scheduler")
    time.sleep(0.5)
    status = machine.make("status")
    assert status.returncode != 0
    assert "not running: kube-scheduler" in status.stdout
    assert machine.make("up").returncode == 0
    assert daemons.alive(layout(), "kube-scheduler")


def test_after_down_nothing_is_left_and_up_starts_from_nothing(platform: dict[str, Any]) -> None:
    started = time.monotonic()
    done = machine.make("down")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - started < 60
    assert node.leftovers(layout()) == []
    assert not layout().state.exists()
    for folder in node.FOREIGN_FOLDERS:
        assert not Path(folder).exists(), folder
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(layout().state) in line]
    assert mounts == []
    status = subprocess.run(["git", "status", "--porcelain", "stacks"], capture_output=True, text=True, check=True)
    assert "Pulumi.local.yaml" not in status.stdout
    assert machine.make("down").returncode == 0


def _until(reached: Callable[[], bool], process: subprocess.Popen[str], moment: str) -> None:
    deadline = time.monotonic() + 300
    while not reached():
        if process.poll() is not None:
            output, _ = process.communicate()
            pytest.fail(f"`make up` ended before {moment}:\n{output}")
        assert time.monotonic() < deadline, f"never came so far that {moment}"
        time.sleep(0.02)


def _end(process: subprocess.Popen[str], number: int) -> None:
    """Ctrl-C goes to the whole foreground group; `kill -9` hits make and its program, and orphans what they started."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        holder = re.search(r"pid (\d+)", (paths.cache() / "lock").read_text())
        assert holder
        _kill(int(holder[1]))
        _kill(process.pid)
    process.wait(timeout=60)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
