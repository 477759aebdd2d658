"""Updates that are cut short, by Ctrl-C or `kill -9`, at twenty moments; the next one ends as the settings say.

Which moments a run tries is drawn: one of a first start, which is how the platform of all tests comes up, and one of a
change or a removal. The draw is by ML_PLATFORM_SEED, which a run prints.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ml_local.node import cgroup
from ml_local.node.layout import layout
from ml_platform.kube import KubeError
from support import machine
from support.converged import assert_converged
from support.until import while_running


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


def _jobs(name: str) -> set[str]:
    try:
        found = machine.client().list("batch/v1", "Job", "models", labels=f"app={name}")
    except (KubeError, OSError, ValueError):
        return set()
    return {each["metadata"]["name"] for each in found}


def _job(name: str) -> Callable[[], bool]:
    return lambda: bool(_jobs(name))


def _another_job(name: str) -> Callable[[], bool]:
    """A run under another key than the one that was there at the first look."""
    before: set[str] = set()

    def look() -> bool:
        found = _jobs(name)
        if not before:
            before.update(found)
        return bool(found - before)

    return look


CRD = "CustomResourceDefinition", "services.serving.knative.dev", "", "apiextensions.k8s.io/v1"
DATA = {"uri": "sklearn:iris", "upload": "s3://datasets/probe.csv", "target": "species", "test": {"fraction": 0.25}}
BLOCKS = {"data": {"probe": DATA}, "models": {"probe": {"gate": {"versus_champion": None}}}}
RUN = {"data": "probe", "model": "probe"}
SETTINGS: dict[str, dict[str, Any]] = {
    "probe": {**BLOCKS, "runs": {"probe": {**RUN, "parameters": {"C": 3.0}}}},
    "changed": {**BLOCKS, "runs": {"probe": {**RUN, "parameters": {"C": 2.0}}}},
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
    Moment("the namespace of the work is there", FIRST, _seen("ServiceAccount", "run-iris", "models")),
    Moment("the model trains", FIRST, _job("iris")),
    Moment("its gate judges it", FIRST, _job("iris-gate"), signal.SIGINT),
    Moment("new data are loaded", ADD, _job("data-probe")),
    Moment("data that are not wanted any more are loaded", TAKE_BACK, _job("data-probe")),
    Moment("a new model trains", ADD, _job("probe")),
    Moment("a model that is not wanted any more trains", TAKE_BACK, _job("probe")),
    Moment("its gate judges a new model", ADD, _job("probe-gate")),
    Moment("a changed run is at work", CHANGE, _another_job("probe")),
    Moment("a changed run that is taken back is at work", CHANGE_BACK, _another_job("probe")),
    Moment(
        "the gate of a changed run that is taken back works", CHANGE_BACK, _another_job("probe-gate"), signal.SIGINT
    ),
    Moment("a run is being removed", REMOVE, _gone(JOBS, "probe-", "models")),
    Moment("a run that is wanted again is being removed", WANT_AGAIN, _gone(JOBS, "probe-gate", "models")),
    Moment("data that are wanted again are being removed", WANT_AGAIN, _gone(JOBS, "data-probe", "models")),
    Moment("a description that is wanted again is removed", WANT_AGAIN, _gone(MAPS, "probe-", "models"), signal.SIGINT),
]
SEED = int(os.environ["ML_PLATFORM_SEED"])
FIRST_START = Random(SEED).choice([each for each in MOMENTS if each.change == FIRST])
CHANGED = Random(SEED).choice([each for each in MOMENTS if each.change != FIRST])


def converges(moment: Moment, folder: Path, patch: pytest.MonkeyPatch) -> None:
    before, change, wanted = (_config(name, folder) for name in moment.change)
    if moment.change[0] == "down":
        assert machine.make("down").returncode == 0
    else:
        _up(before)
    versions = {"iris": "1"} if moment.change[0] == "down" else machine.outputs()["model_versions"]
    process = machine.start("up", *_words(change))
    while_running(process, moment.reached, f"it is not so far that {moment.name}")
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


def _end(process: subprocess.Popen[str], number: int) -> None:
    """Ctrl-C goes to the whole foreground group; `kill -9` hits make, its program and all that they have started."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        for pid in (process.pid, *cgroup.processes(cgroup.COMMANDS)):
            kill(pid)
    process.wait(timeout=60)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
