"""When an InferenceService serves what was asked for, asked of an API of dicts."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads import rollout
from ml_workloads.rollout import RolloutError
from support.cluster import FakeClient

URI = "mlflow://iris/3"
PROPS = {"kubeconfig": "{}", "namespace": "models", "service": "iris", "uri": URI, "settings": "x", "timeout": 300}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(rollout.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(rollout.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


def ask(monkeypatch: pytest.MonkeyPatch, client: FakeClient) -> dict[str, Any]:
    monkeypatch.setattr(rollout.Client, "from_kubeconfig", lambda _text: client)
    return rollout._Provider().create(dict(PROPS)).outs or {}


def service(created: str = "iris-2", ready: str = "iris-2", **status: Any) -> dict[str, Any]:
    predictor = {"latestCreatedRevision": created, "latestReadyRevision": ready}
    return {
        "kind": "InferenceService",
        "metadata": {"name": "iris", "namespace": "models", "generation": 2},
        "status": {
            "observedGeneration": 2,
            "components": {"predictor": predictor},
            "conditions": [{"type": "Ready", "status": "True"}],
            **status,
        },
    }


def revision(name: str = "iris-2", uri: str = URI) -> dict[str, Any]:
    annotations = {"internal.serving.kserve.io/storage-initializer-sourceuri": uri}
    return {"kind": "Revision", "metadata": {"name": name, "namespace": "models", "annotations": annotations}}


def test_the_revision_that_answers_is_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(service(), revision())
    assert ask(monkeypatch, client)["revision"] == "iris-2"
    assert client.requests == ["GET /api/v1/namespaces/models/services/iris-2-private:http/proxy/v2/health/ready"]


@pytest.mark.parametrize(
    "objects",
    [
        [service(ready="iris-1"), revision("iris-1")],
        [service(observedGeneration=1), revision()],
        [service(conditions=[{"type": "Ready", "status": "False", "message": "still loading"}]), revision()],
        [service(), revision(uri="mlflow://iris/2")],
        [service()],
    ],
    ids=["an older one is ready", "not seen yet", "not ready", "another version", "revision gone"],
)
def test_anything_else_is_waited_for(objects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RolloutError, match="does not serve mlflow://iris/3: not ready after 300 s"):
        ask(monkeypatch, FakeClient(*objects))


def test_a_model_that_can_not_be_loaded_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": {"message": "exit code 1"}}
    labels = {"serving.knative.dev/revision": "iris-2"}
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "models", "labels": labels}}
    client = FakeClient(
        service(ready="iris-1", modelStatus=failed), pod, logs={"p/storage-initializer": "no version 3 of iris"}
    )
    with pytest.raises(RolloutError, match="BlockedByFailedLoad: exit code 1") as refused:
        ask(monkeypatch, client)
    assert "no version 3 of iris" in str(refused.value)
    assert rollout.time.monotonic() == 0


@pytest.mark.parametrize(
    ("key", "changes"),
    [("uri", True), ("settings", True), ("service", True), ("kubeconfig", False), ("timeout", False)],
)
def test_it_is_asked_for_again_when_something_else_is_to_be_served(key: str, changes: bool) -> None:
    assert rollout._Provider().diff("", PROPS, {**PROPS, key: "other"}).changes is changes
