"""The alias of a champion moves when what follows it serves, and a gate before that moves none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ml_runtime import download, promote, register
from ml_runtime.errors import RunError, SpecError
from ml_runtime.verdict import Verdict
from support import work
from support.registry import HALF, RIGHT, Registry, described, use
from support.work import IRIS, changed

SERVED = changed(IRIS, serving={"iris": {"model": "iris"}, "pinned": {"model": "iris", "version": 3}})


def test_the_alias_moves_after_all_that_follows_the_champion() -> None:
    tree = work.declare(SERVED)
    assert work.told(tree, "iris-champion")["version"] == "7"
    needs = {urn.rpartition("$")[2] for urn in tree.find(work.CONFIGMAP, "iris-champion-run").dependencies}
    assert "pulumi-python:dynamic/workloads:Traffic::iris" in needs
    assert "pulumi-python:dynamic/workloads:Traffic::pinned" not in needs
    assert work.told(tree, "iris-gate")["promotes"] is False


def test_what_is_served_too_changes_no_run_and_moves_the_alias() -> None:
    served = work.keys(work.declare(changed(IRIS, serving={"iris": {"model": "iris"}})))
    assert {name: key for name, key in served.items() if name != "iris-champion"} == work.keys(work.declare(IRIS))
    assert "iris-champion" in served


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


def test_what_is_to_be_served_first_is_challenger_and_no_champion_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    later = replace(described(), promotes=False)
    assert register.register(later).outputs == {"version": "2", "champion": "2"}
    assert registry.aliases == {"challenger": "2", "champion": "1"}
    assert register.register(later).outputs == {"version": "2", "champion": "2"}
    assert len(registry.versions) == 2


def test_a_refused_candidate_leaves_the_version_that_the_gate_before_has_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = use(Registry(old=HALF, new=RIGHT, worse=HALF), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    register.register(replace(described(), promotes=False))
    worse = replace(described(run="iris-gate-3", candidate="worse", at_least=None), promotes=False, before="2")
    verdict = register.register(worse)
    assert (verdict.accepted, verdict.outputs["champion"]) == (False, "2")
    assert registry.aliases == {"challenger": "2", "champion": "1"}


def test_an_approved_version_is_wanted_and_its_alias_left_where_it_is_to_be_served_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    register.register(replace(described(approval="manual"), promotes=False))
    approved = replace(described(run="iris-gate-2", approval="manual", approved=2), promotes=False)
    assert register.register(approved).outputs["champion"] == "2"
    assert registry.aliases["champion"] == "1"
