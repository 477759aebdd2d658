"""When an InferenceService serves what was asked for, asked of an API of dicts."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads import rollout
from ml_workloads.rollout import RolloutError
from support.cluster import FakeClient

URI = "mlflow://iris/3"
PROPS = {
    "kubeconfig": "{}",
    "mode": "knative",
    "namespace": "models",
    "service": "iris",
    "uri": URI,
    "settings": "x",
    "timeout": 300,
}
MARKS = {"internal.serving.kserve.io/storage-initializer-sourceuri": URI, "ml-platform/settings": "x"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(rollout.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(rollout.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


def ask(monkeypatch: pytest.MonkeyPatch, client: FakeClient, mode: str = "knative") -> dict[str, Any]:
    monkeypatch.setattr(rollout.Client, "from_kubeconfig", lambda _text: client)
    return rollout._Provider().create({**PROPS, "mode": mode}).outs or {}


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


def deployment(marks: dict[str, str] = MARKS, **status: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 2)
    annotations = {"deployment.kubernetes.io/revision": "4"}
    return {
        "kind": "Deployment",
        "metadata": {"name": "iris-predictor", "namespace": "models", "generation": 5, "annotations": annotations},
        "spec": {"replicas": 2, "template": {"metadata": {"annotations": marks}}},
        "status": {"observedGeneration": 5, **counts, **status},
    }


def model_pod(name: str, marks: dict[str, str] = MARKS, waiting: str | None = None) -> dict[str, Any]:
    labels = {"serving.kserve.io/inferenceservice": "iris"}
    state = {"waiting": {"reason": waiting, "message": "back-off 10s"}} if waiting else {"running": {}}
    ended = {"terminated": {"message": "no version 3 of iris"}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "models", "labels": labels, "annotations": marks},
        "status": {"initContainerStatuses": [{"name": "storage-initializer", "state": state, "lastState": ended}]},
    }


def test_in_standard_mode_the_deployment_that_is_rolled_out_and_answers_is_the_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeClient(service(observedGeneration=1), deployment(), model_pod("new"))
    assert ask(monkeypatch, client, "standard")["revision"] == "iris-predictor-4"
    assert client.requests == ["GET /api/v1/namespaces/models/services/iris-predictor:80/proxy/v2/health/ready"]


@pytest.mark.parametrize(
    "objects",
    [
        [service()],
        [service(), deployment({**MARKS, "ml-platform/settings": "old"})],
        [service(), deployment({**MARKS, "internal.serving.kserve.io/storage-initializer-sourceuri": "mlflow://iris/2"})],
        [service(), deployment(observedGeneration=4)],
        [service(), deployment(updatedReplicas=1)],
        [service(), deployment(availableReplicas=1)],
        [service(), deployment(replicas=3)],
        [service(conditions=[{"type": "Ready", "status": "False", "message": "no route"}]), deployment()],
    ],
    ids=[
        "no deployment yet",
        "other settings",
        "another version",
        "not seen yet",
        "not all updated",
        "not all available",
        "an old pod is left",
        "not reachable",
    ],
)  # fmt: skip
def test_in_standard_mode_anything_else_is_waited_for(
    objects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RolloutError, match="does not serve mlflow://iris/3: not ready after 300 s"):
        ask(monkeypatch, FakeClient(*objects), "standard")


def test_in_standard_mode_a_new_pod_that_fails_beside_an_old_one_is_an_error_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = model_pod("old", {**MARKS, "ml-platform/settings": "w"}), model_pod("new", waiting="CrashLoopBackOff")
    client = FakeClient(
        service(), deployment(updatedReplicas=1), old, new, logs={"new/storage-initializer": "Traceback"}
    )
    with pytest.raises(RolloutError, match="container storage-initializer of pod new: no version 3 of iris") as refused:
        ask(monkeypatch, client, "standard")
    assert "Traceback" in str(refused.value)
    assert rollout.time.monotonic() == 0


def test_in_standard_mode_what_failed_before_is_no_failure_of_what_is_asked_for_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = {"transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": {"message": "exit code 1"}}
    old = {**MARKS, "ml-platform/settings": "w"}
    client = FakeClient(service(modelStatus=failed), deployment(old), model_pod("old", old, "CrashLoopBackOff"))
    with pytest.raises(RolloutError, match="not ready after 300 s"):
        ask(monkeypatch, client, "standard")


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("uri", True),
        ("settings", True),
        ("service", True),
        ("mode", True),
        ("kubeconfig", False),
        ("timeout", False),
    ],
)
def test_it_is_asked_for_again_when_something_else_is_to_be_served(key: str, changes: bool) -> None:
    assert rollout._Provider().diff("", PROPS, {**PROPS, key: "other"}).changes is changes
