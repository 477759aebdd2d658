"""The alias of a champion moves when what follows it serves, and a gate before that moves none."""

from __future__ import annotations

from typing import Any

import pytest
from ml_runtime import download, promote
from ml_runtime.errors import RunError, SpecError
from ml_runtime.verdict import Verdict
from support import work
from support.work import IRIS, changed

SERVED = changed(IRIS, serving={"iris": {"model": "iris"}, "pinned": {"model": "iris", "version": 3}})


def test_the_alias_moves_after_all_that_follows_the_champion() -> None:
    tree = work.declare(SERVED)
    assert work.told(tree, "iris-champion")["version"] == "7"
    needs = {urn.rpartition("$")[2] for urn in tree.find(work.CONFIGMAP, "iris-champion-run").dependencies}
    assert "pulumi-python:dynamic/workloads:Traffic::iris" in needs
    assert "pulumi-python:dynamic/workloads:Traffic::pinned" not in needs
    assert work.told(tree, "iris-gate")["promotes"] is False


def test_a_gate_moves_the_alias_itself_where_nothing_follows_the_champion() -> None:
    pinned = changed(IRIS, serving={"pinned": {"model": "iris", "version": 3}})
    for settings in (IRIS, pinned):
        tree = work.declare(settings)
        assert "promotes" not in work.told(tree, "iris-gate")
        assert "iris-champion" not in work.keys(tree)


def test_the_move_may_write_its_verdict_and_has_no_key_of_the_object_store() -> None:
    spec = work.pod(work.declare(SERVED), "iris-champion")
    (container,) = spec["containers"]
    assert (spec["serviceAccountName"], container["args"]) == ("iris-champion", ["ml_runtime.promote"])
    assert "AWS_SECRET_ACCESS_KEY" not in {each["name"] for each in container["env"]}


def test_the_second_gate_is_told_the_version_that_the_first_has_left() -> None:
    two = changed(SERVED, runs={"forest": {"data": "iris", "model": "iris", "estimator": "random-forest"}})
    tree = work.declare(two)
    assert "before" not in work.told(tree, "iris-gate")
    assert work.told(tree, "forest-gate")["before"] == "7"


RAW = {"run": "iris-champion-1", "model": "iris", "version": "7", "patience": 0.001}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What MLflow is asked to do."""
    found: list[Any] = []
    monkeypatch.setattr(promote, "_set", found.append)
    return found


def test_a_version_that_a_gate_has_accepted_becomes_champion(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "digest_of", lambda *_: "d")
    verdict: Verdict = promote.promote(promote.parse(RAW))
    assert (verdict.outputs, len(sent)) == ({"champion": "7"}, 1)


def test_a_version_that_no_gate_has_accepted_becomes_none(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "digest_of", lambda *_: None)
    with pytest.raises(RunError, match="version 7 of 'iris' has no tag"):
        promote.promote(promote.parse(RAW))
    assert sent == []


def test_an_unknown_key_of_its_description_is_refused() -> None:
    with pytest.raises(SpecError, match="alias"):
        promote.parse({**RAW, "alias": "champion"})
