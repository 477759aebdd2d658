"""A run that scores data as it is declared: what it is told, what makes another one of it, and where it runs."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads.settings import WorkloadsSettings
from support import recorder, work

RUN: dict[str, Any] = {"operator": "batch", "data": "iris", "model": "iris", "output": "s3://datasets/scores/"}


def settings(**changes: Any) -> dict[str, Any]:
    return work.changed(work.IRIS, runs={"scores": {**RUN, **changes}})


def declare(**changes: Any) -> recorder.Recorder:
    return work.declare(settings(**changes))


def test_it_scores_by_the_champion_after_its_gate() -> None:
    tree = declare()
    told = work.told(tree, "scores")
    assert (told["model"], told["version"], told["output"]) == ("iris", "7", "s3://datasets/scores/")
    needs = tree.find(work.CONFIGMAP, "scores-run").dependencies
    assert any(urn.endswith("RunOutcome::iris-gate") for urn in needs)


def test_a_version_by_its_number_waits_for_no_gate() -> None:
    tree = declare(version=3, keep=["species"])
    assert (work.told(tree, "scores")["version"], work.told(tree, "scores")["keep"]) == ("3", ["species"])
    needs = tree.find(work.CONFIGMAP, "scores-run").dependencies
    assert not any(urn.endswith("RunOutcome::iris-gate") for urn in needs)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"version": 3}, True),
        ({"keep": ["species"]}, True),
        ({"output": "s3://datasets/others/"}, True),
        ({"retries": 5, "timeout": 60, "scratch": "4Gi"}, False),
    ],
    ids=str,
)
def test_what_it_does_makes_another_run_and_how_it_does_it_none(change: dict[str, Any], again: bool) -> None:
    assert (work.key(declare(**change), "scores") != work.key(declare(), "scores")) is again


def test_it_runs_under_an_account_of_its_own_that_may_use_the_object_store() -> None:
    spec = work.pod(declare(), "scores")
    assert spec["serviceAccountName"] == "run-scores"
    (container,) = spec["containers"]
    assert container["args"] == ["ml_runtime.batch"]
    assert "AWS_SECRET_ACCESS_KEY" in {each["name"] for each in container["env"]}
    accounts = WorkloadsSettings.model_validate(settings()).accounts
    assert ("models", "run-scores") in accounts


def test_where_its_parts_are_is_an_output_of_the_stack() -> None:
    assert set(declare().exports["scores"]) == {"scores"}
