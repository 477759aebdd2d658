"""Ctrl-C and `kill -9` at any moment of `make up`: the next one ends as the settings say, and nothing is orphaned."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ml_local import paths
from ml_local.node import cgroup, keeper, node
from ml_local.node.layout import layout
from ml_platform.kube import KubeError
from support import machine
from support.converged import assert_converged


def _seen(kind: str, name: str, namespace: str, api: str = "v1") -> Callable[[], bool]:
    def look() -> bool:
        try:
            machine.client().get(api, kind, name, namespace)
        except (KubeError, OSError, ValueError):
            return False
        return True

    return look


def _gone(kind: str, name: str, namespace: str) -> Callable[[], bool]:
    def look() -> bool:
        try:
            names = [each["metadata"]["name"] for each in machine.client().list(*kind.split(" "), namespace)]
        except (KubeError, OSError, ValueError):
            return False
        return not any(each.startswith(name) for each in names)

    return look


def _job(name: str, count: int = 1) -> Callable[[], bool]:
    def look() -> bool:
        try:
            return len(machine.client().list("batch/v1", "Job", "models", labels=f"app={name}")) >= count
        except (KubeError, OSError, ValueError):
            return False

    return look


CRD = "CustomResourceDefinition", "services.serving.knative.dev", "", "apiextensions.k8s.io/v1"
DATA = {"source": "sklearn:iris", "key": "probe.csv", "columns": [*"abcd", "species"]}
MODEL = {"dataset": "probe", "target": "species", "gate": {"threshold": 0.5, "champion": "ignore"}}
SETTINGS: dict[str, dict[str, Any]] = {
    "probe": {"datasets": {"probe": DATA}, "training": {"probe": {**MODEL, "parameters": {"C": 3.0}}}},
    "changed": {"datasets": {"probe": DATA}, "training": {"probe": {**MODEL, "parameters": {"C": 2.0}}}},
}
"""By name; 'down' is no node at all, 'own' are the checkout's."""


@dataclass(frozen=True)
class Moment:
    """A change from some settings to others that is cut short when `reached`, and the settings that are wanted then."""

    name: str
    change: tuple[str, str, str]
    reached: Callable[[], bool]
    number: int = signal.SIGKILL


FIRST, ADD, TAKE_BACK = ("down", "own", "own"), ("own", "probe", "probe"), ("own", "probe", "own")
CHANGE, CHANGE_BACK = ("probe", "changed", "changed"), ("probe", "changed", "probe")
REMOVE, WANT_AGAIN = ("probe", "own", "own"), ("probe", "own", "probe")
JOBS, MAPS = "batch/v1 Job", "v1 ConfigMap"
MOMENTS = [
    Moment("the node is starting", FIRST, lambda: (layout().run / "daemons/etcd.json").exists()),
    Moment("images are pushed", FIRST, lambda: (layout().data / "registry").exists(), signal.SIGINT),
    Moment("a password is there and its database is not", FIRST, _seen("Secret", "postgres", "mlflow")),
    Moment("kinds are being defined", FIRST, _seen(*CRD)),
    Moment("the platform is coming up", FIRST, _seen("Deployment", "controller", "knative-serving", "apps/v1")),
    Moment("the data are loaded", FIRST, _job("dataset-iris")),
    Moment("the model trains", FIRST, _job("iris")),
    Moment("its gate judges it", FIRST, _job("iris-gate"), signal.SIGINT),
    Moment("new data are loaded", ADD, _job("dataset-probe")),
    Moment("data that are not wanted any more are loaded", TAKE_BACK, _job("dataset-probe")),
    Moment("a new model trains", ADD, _job("probe")),
    Moment("a model that is not wanted any more trains", TAKE_BACK, _job("probe")),
    Moment("its gate judges a new model", ADD, _job("probe-gate")),
    Moment("a changed run is at work beside the old one", CHANGE, _job("probe", 2)),
    Moment("a changed run that is taken back is at work", CHANGE_BACK, _job("probe", 2)),
    Moment("the gate of a changed run that is taken back works", CHANGE_BACK, _job("probe-gate", 2), signal.SIGINT),
    Moment("a run is being removed", REMOVE, _gone(JOBS, "probe-", "models")),
    Moment("a run that is wanted again is being removed", WANT_AGAIN, _gone(JOBS, "probe-gate", "models")),
    Moment("data that are wanted again are being removed", WANT_AGAIN, _gone(JOBS, "dataset-probe", "models")),
    Moment("a description that is wanted again is removed", WANT_AGAIN, _gone(MAPS, "probe-", "models"), signal.SIGINT),
]
SEED = int(os.environ.get("ML_PLATFORM_SEED") or random.randrange(10**6))
DRAWN = random.Random(SEED).sample(MOMENTS, 2)


@pytest.mark.parametrize("number", range(len(DRAWN)))
def test_an_update_killed_at_a_drawn_moment_converges(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"ML_PLATFORM_SEED={SEED} draws: {DRAWN[number].name}")
    converges(DRAWN[number], tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name.replace(" ", "-"))
def test_an_update_killed_at_any_moment_converges(
    moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converges(moment, tmp_path, monkeypatch)


def converges(moment: Moment, folder: Path, patch: pytest.MonkeyPatch) -> None:
    before, change, wanted = (_config(name, folder) for name in moment.change)
    if moment.change[0] == "down":
        assert machine.make("down").returncode == 0
    else:
        _up(before)
    versions = {"iris": "1"} if moment.change[0] == "down" else machine.outputs()["model_versions"]
    process = machine.start("up", *_words(change))
    _until(moment.reached, process, moment.name)
    _end(process, moment.number)
    _up(wanted)
    said = f"killed when {moment.name}, ML_PLATFORM_SEED={SEED}"
    assert_converged(wanted, patch, said)
    assert machine.outputs()["model_versions"]["iris"] == versions["iris"], f"{said}: iris was trained again"
    if moment.change[2] != "own":
        _up(None)


def _config(name: str, folder: Path) -> Path | None:
    if name not in SETTINGS:
        return None
    place = folder / name
    place.mkdir(exist_ok=True)
    return machine.settings("workloads", SETTINGS[name], place)


def _words(config: Path | None) -> list[str]:
    return [f"CONFIG={config}"] if config else []


def _up(config: Path | None) -> None:
    done = machine.make("up", *_words(config), timeout=3000)
    assert done.returncode == 0, done.stdout
    assert cgroup.processes(cgroup.COMMANDS) == set()


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


def test_what_the_runtime_writes_is_nowhere_on_the_machine(platform: dict[str, Any]) -> None:
    ours = [str(path) for folder in keeper.COVERED for path in folder.rglob("*")]
    assert ours == []
    assert str(layout().state) not in Path("/proc/mounts").read_text()
    inside = machine.run([*keeper.inside(layout()), "find", *map(str, keeper.COVERED), "-type", "s"], 30, os.environ)
    assert "/var/lib/kubelet/device-plugins/kubelet.sock" in inside.stdout.split()


def test_a_daemon_that_was_killed_is_started_again(mended: dict[str, Any]) -> None:
    from ml_local.node import daemons

    daemons.kill(layout(), "kube-scheduler")
    time.sleep(0.5)
    status = machine.make("status")
    assert status.returncode != 0
    assert "not running: kube-scheduler" in status.stdout
    assert machine.make("up").returncode == 0
    assert daemons.alive(layout(), "kube-scheduler")


def test_after_down_nothing_is_left_and_what_somebody_put_there_is(platform: dict[str, Any]) -> None:
    theirs = [folder / "somebody" for folder in keeper.COVERED[1:]]
    for each in theirs:
        each.mkdir()
    started = time.monotonic()
    done = machine.make("down")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - started < 60
    assert node.leftovers(layout()) == []
    assert not layout().state.exists()
    assert [each for each in theirs if not each.is_dir()] == []
    assert not keeper.COVERED[0].exists()
    for each in theirs:
        each.rmdir()
        each.parent.rmdir()
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
    """Ctrl-C goes to the whole foreground group; `kill -9` hits make, its program and all that they have started."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        for pid in (process.pid, *cgroup.processes(cgroup.COMMANDS)):
            _kill(pid)
    process.wait(timeout=60)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
