"""What became of a Spark run, asked of an API of dicts: the run's own word counts, with either operator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ml_workloads import run_outcome
from ml_workloads.run_kinds import KINDS, RunKindName
from ml_workloads.run_outcome import RunFailedError
from support import waiting
from support.cluster import FakeClient

RUN, NAMESPACE = "iris-0a1b2c3d", "spark-jobs"
OPERATORS: tuple[RunKindName, ...] = ("kubeflow", "stackable")
both = pytest.mark.parametrize("operator", OPERATORS)
STATES: dict[RunKindName, dict[str, dict[str, Any]]] = {
    "kubeflow": {
        "running": {"applicationState": {"state": "RUNNING"}},
        "good": {"applicationState": {"state": "COMPLETED"}},
        "bad": {"applicationState": {"state": "FAILED", "errorMessage": "driver container failed with ExitCode: 1"}},
    },
    "stackable": {"running": {"phase": "Running"}, "good": {"phase": "Succeeded"}, "bad": {"phase": "Failed"}},
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return waiting.clock(monkeypatch)


def ask(monkeypatch: pytest.MonkeyPatch, operator: RunKindName, client: FakeClient) -> dict[str, Any]:
    monkeypatch.setattr(run_outcome.Client, "from_kubeconfig", lambda *_, **__: client)
    props = {"kubeconfig": "{}", "namespace": NAMESPACE, "run": RUN, "timeout": 900, "kind": operator}
    declared = {key: value for key, value in application(operator, "bad").items() if key != "status"}
    manifest = {**declared, "metadata": {"name": RUN, "namespace": NAMESPACE}, "spec": {"mode": "now"}}
    props |= {"leaves": "table", "manifest": json.dumps(manifest)}
    return run_outcome._Provider().create(props).outs or {}


def application(operator: RunKindName, state: str) -> dict[str, Any]:
    kind = KINDS[operator]
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": RUN, "namespace": NAMESPACE, "uid": "1", "labels": {"app": RUN}},
        "spec": {"mode": "cluster"},
        "status": STATES[operator][state],
    }


def verdict(*, accepted: bool = True) -> dict[str, Any]:
    content = {
        "accepted": accepted,
        "rule": "accepted" if accepted else "data",
        "reason": "23 of 173 rows are unfit",
        "numbers": {"rows": 150.0},
        "outputs": {"table": "ab12"} if accepted else {},
    }
    meta = {"name": RUN, "namespace": NAMESPACE}
    return {"kind": "ConfigMap", "metadata": meta, "data": {"verdict.json": json.dumps(content)}}


def driver(operator: RunKindName, waiting: dict[str, str] | None = None) -> dict[str, Any]:
    labels = dict(pair.split("=") for pair in KINDS[operator].pods.format(RUN).split(","))
    meta = {"name": "driver", "namespace": NAMESPACE, "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"kind": "Pod", "metadata": meta, "status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}


@both
def test_the_digest_of_the_data_is_the_version(operator: RunKindName, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = ask(monkeypatch, operator, FakeClient(application(operator, "good"), verdict()))
    assert (outcome["outputs"], outcome["accepted"], outcome["numbers"]) == ({"table": "ab12"}, True, {"rows": 150.0})


@both
def test_a_success_of_which_the_run_itself_knows_nothing_is_none(
    operator: RunKindName, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeClient(application(operator, "good"), driver(operator), logs={"driver": "Traceback: it broke"})
    with pytest.raises(RunFailedError, match=r"left no verdict\.json in ConfigMap spark-jobs/iris-0a1b2c3d") as failed:
        ask(monkeypatch, operator, client)
    assert "it broke" in str(failed.value)


@both
def test_a_success_that_the_run_itself_denies_is_none(operator: RunKindName, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunFailedError, match="failed: 23 of 173 rows are unfit"):
        ask(monkeypatch, operator, FakeClient(application(operator, "good"), verdict(accepted=False)))


@both
def test_a_run_that_fails_ends_at_once_with_its_last_lines(
    operator: RunKindName, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeClient(application(operator, "running"), driver(operator), logs={"driver": "the last line"})
    client.on_get = lambda client, key: clock[0] > 3 and client.put(application(operator, "bad"))
    with pytest.raises(RunFailedError, match=r"failed: .*driver.*failed[^\n]*\n.*\nthe last line"):
        ask(monkeypatch, operator, client)
    assert clock[0] < 5


@both
def test_a_run_that_left_no_pod_still_says_why_it_failed(
    operator: RunKindName, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeClient(application(operator, "running"), verdict(accepted=False))
    client.on_get = lambda client, key: clock[0] > 3 and client.put(application(operator, "bad"))
    with pytest.raises(RunFailedError, match="23 of 173 rows are unfit") as failed:
        ask(monkeypatch, operator, client)
    assert f"kubectl -n spark-jobs describe sparkapplication {RUN}" in str(failed.value)


@both
def test_a_run_that_had_failed_before_is_run_again_when_its_driver_is_gone(
    operator: RunKindName, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeClient(application(operator, "bad"), driver(operator), verdict())
    find = client.list
    started: list[tuple[float, dict[str, Any]]] = []

    def pods(*words: Any, **selectors: str) -> list[dict[str, Any]]:
        return find(*words, **selectors) if clock[0] < 4 else []

    def create(item: dict[str, Any], *, field_manager: str) -> dict[str, Any]:
        started.append((clock[0], item))
        client.put({**item, "status": STATES[operator]["good"]})
        return item

    monkeypatch.setattr(client, "list", pods)
    monkeypatch.setattr(client, "create", create)
    assert ask(monkeypatch, operator, client)["outputs"] == {"table": "ab12"}
    ((when, item),) = started
    assert when >= 4
    assert item["spec"] == {"mode": "now"}
    assert "uid" not in item["metadata"]


@both
def test_a_driver_that_can_not_start_is_named_long_before_the_timeout(
    operator: RunKindName, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    with pytest.raises(RunFailedError, match="can't start: ImagePullBackOff: no such image"):
        ask(monkeypatch, operator, FakeClient(application(operator, "running"), driver(operator, waiting)))
    assert clock[0] < 70
