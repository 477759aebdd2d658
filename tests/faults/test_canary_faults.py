"""Canaries that go wrong: who asks is answered by the version in use, and who changed the settings is told why."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_load.load import Load
from support import gateway, machine, outage, versions
from support.converged import assert_converged
from support.flowers import FLOWERS
from support.until import until, while_running

URL = "http://iris.models.localhost:8080/v2/models/iris/infer"
ROWS = gateway.rows(FLOWERS["Iris-setosa"])
PATH = "ml-platform:workloads.serving.iris"
RATE = 25.0


def config(folder: Path, **iris: Any) -> Path:
    return machine.settings("workloads", {"serving": {"iris": iris}}, folder)


def in_use() -> str:
    return str(versions.champion().version)


@pytest.mark.parametrize(
    ("made", "words", "earlier"),
    [
        pytest.param(
            versions.replaced, "somebody replaced them", False, id="whose files are not those that were judged"
        ),
        pytest.param(versions.broken, "No module named 'made'", True, id="that can not be loaded, after a good one"),
    ],
)
def test_a_canary_of_no_use_gets_no_request(
    made: Callable[[Path], int], words: str, earlier: bool, restored: dict[str, Any], tmp_path: Path
) -> None:
    if earlier:
        good = {"version": versions.another(), "percent": 30}
        for canary in (good, None):
            done = machine.up(config(tmp_path, canary=canary))
            assert done.returncode == 0, done.stdout
    bad = made(tmp_path)
    with Load(URL, ROWS, RATE) as load:
        done = machine.up(config(tmp_path, canary={"version": bad, "percent": 10}))
        load.next(100)
    assert done.returncode != 0
    assert f"models/iris-canary does not serve mlflow://iris/{bad}" in done.stdout
    assert words in done.stdout
    assert f"pulumi config rm --path '{PATH}.canary'" in done.stdout
    assert load.problems == []
    assert set(load.versions) == {in_use()}


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        pytest.param("canary.version", {"canary": {"version": 999}}, id="as a canary"),
        pytest.param("version", {"version": 999}, marks=pytest.mark.long, id="in use"),
    ],
)
def test_a_version_that_does_not_exist_is_named_and_what_answers_goes_on(
    key: str, settings: dict[str, Any], restored: dict[str, Any], tmp_path: Path
) -> None:
    with Load(URL, ROWS, RATE) as load:
        done = machine.up(config(tmp_path, **settings))
        load.next(100)
    assert done.returncode != 0
    assert "MLflow has no version 999 of a registered model 'iris'" in done.stdout
    assert f"pulumi config set --path '{PATH}.{key}' <version>" in done.stdout
    assert load.problems == []
    assert set(load.versions) == {in_use()}


def test_a_killed_change_is_gone_on_with_and_no_request_fails(restored: dict[str, Any], tmp_path: Path) -> None:
    tried = versions.another()
    file = config(tmp_path, canary={"version": tried, "percent": 20})
    without_canary()
    with Load(URL, ROWS, RATE) as load:
        process = machine.start("up", f"CONFIG={file}")
        while_running(process, canary_declared, "no canary is declared", seconds=120)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        load.next(50)
        assert set(load.versions) == {in_use()}
        done = machine.make("up", f"CONFIG={file}")
        shares = load.next(200)
    assert done.returncode == 0, done.stdout
    assert load.problems == []
    assert set(shares) == {in_use(), str(tried)}
    assert shares[str(tried)] == pytest.approx(40, abs=4)


def test_a_version_that_is_accepted_and_can_not_be_served_is_no_champion_and_its_settings_are_taken_back(
    restored: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_canary()
    before = in_use()
    blocks = {
        "runs": {"iris": {"seed": 7}},
        "models": {"iris": {"gate": {"versus_champion": None}}},
        "serving": {"iris": {"resources": {"memory": "32Mi", "memory_limit": "96Mi"}}},
    }
    with Load(URL, ROWS, RATE) as load:
        done = machine.up(machine.settings("workloads", blocks, tmp_path))
        load.next(100)
    assert done.returncode != 0
    challenger = str(versions.tracking().get_model_version_by_alias("iris", "challenger").version)
    assert f"models/iris does not serve mlflow://iris/{challenger}" in done.stdout
    assert challenger != before
    assert in_use() == before
    assert load.problems == []
    assert set(load.versions) == {before}
    back = machine.up()
    assert back.returncode == 0, back.stdout
    assert_converged(None, monkeypatch, back.stdout)


def test_a_canary_for_which_no_node_has_room_waits_for_what_ends(restored: dict[str, Any], tmp_path: Path) -> None:
    file = config(tmp_path, canary={"version": versions.another(), "percent": 20})
    without_canary()
    with outage.full_node():
        process = machine.start_up(file)
        while_running(process, unplaced, "Knative does not say that the canary has no node", seconds=120)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output


def unplaced() -> bool:
    """Whether Knative calls the canary's revision not ready for want of a node."""
    revisions = machine.client().list("serving.knative.dev/v1", "Revision", "models")
    conditions = [
        each
        for revision in revisions
        if revision["metadata"]["name"].startswith("iris-canary-")
        for each in revision.get("status", {}).get("conditions") or []
    ]
    return ("Ready", "False", "Unschedulable") in {
        (each["type"], each["status"], each.get("reason")) for each in conditions
    }


def without_canary() -> None:
    """What the tests before have left, a canary that never served, goes."""
    done = machine.up()
    assert done.returncode == 0, done.stdout
    until(lambda: not canary_declared(), "the canary of a test before is still declared")


def canary_declared() -> bool:
    return machine.client().find("serving.kserve.io/v1beta1", "InferenceService", "iris-canary", "models") is not None
