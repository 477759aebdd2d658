"""When an InferenceService serves what was asked for, asked of an API of dicts."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads import rollout
from ml_workloads.rollout import RolloutError
from support import waiting
from support.cluster import FakeClient
from support.rollout_objects import MARKS, behind, deployment, ended, knative_pod, model_pod, private, revision, service

URI = "mlflow://iris/3"
PROPS = {
    "kubeconfig": "{}",
    "mode": "knative",
    "namespace": "models",
    "service": "iris",
    "part": "predictor",
    "served": URI,
    "mark": "x",
    "ready": "/v2/models/iris/ready",
    "setting": "ml-platform:workloads.serving.iris.version",
    "timeout": 300,
}
DROP = "pulumi config rm --path 'ml-platform:workloads.serving.iris.canary'"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.clock(monkeypatch)


def ask(monkeypatch: pytest.MonkeyPatch, client: FakeClient, mode: str = "knative") -> dict[str, Any]:
    monkeypatch.setattr(rollout.Client, "from_kubeconfig", lambda *_, **__: client)
    return rollout._Provider().create({**PROPS, "mode": mode}).outs or {}


OVER = 'pods "iris" is forbidden: exceeded quota: workloads'
HASHED = f"iris-{'2' * 18}{'0123456789abcdef' * 2}-private"
"""What Knative makes of a name that gets too long."""


@pytest.mark.parametrize("name", ["iris-2-private", HASHED])
def test_the_revision_that_answers_is_the_outcome(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [private("iris-2", kind="Public"), private("iris-1-private", uid="of iris-1")]
    client = FakeClient(service(), behind(), revision(), *others, private(name))
    assert ask(monkeypatch, client)["revision"] == "iris-2"
    assert client.requests == [f"GET /api/v1/namespaces/models/services/{name}:http/proxy/v2/models/iris/ready"]


@pytest.mark.parametrize(
    "objects",
    [
        [service(ready="iris-1"), behind(), revision("iris-1"), private(uid="of iris-1")],
        [service(observedGeneration=1), behind(), revision(), private()],
        [service(conditions=[{"type": "Ready", "status": "False", "message": "no"}]), behind(), revision(), private()],
        [service(), behind(), revision(mark="old"), private()],
        [service(), behind(), private()],
        [service(), behind([{"uid": "one of this name that was deleted"}]), revision(), private()],
        [service(), revision(), private()],
        [service(), behind(), revision(), private("iris-2", kind="Public")],
        [service(ready="iris-1"), behind(), revision(status="False", reason="Unschedulable", message="no cpu")],
        [service(ready="iris-1"), behind(), revision(status="False", reason="FailedCreate", message=OVER)],
    ],
    ids=[
        "an older one is ready", "not seen yet", "not ready", "of something else", "revision gone",
        "of a service before", "nothing there yet", "nothing leads to its pods", "a full node", "a used up quota",
    ],
)  # fmt: skip
def test_anything_else_is_waited_for(objects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RolloutError, match="does not serve mlflow://iris/3: not ready after 300 s"):
        ask(monkeypatch, FakeClient(*objects))


def test_a_model_that_can_not_be_loaded_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [service(ready="iris-1"), behind(), revision(), knative_pod("CrashLoopBackOff")]
    client = FakeClient(*objects, logs={"p/storage-initializer": "Traceback"})
    with pytest.raises(RolloutError, match="CrashLoopBackOff: container storage-initializer of pod p: no") as refused:
        ask(monkeypatch, client)
    assert "Traceback" in str(refused.value)
    assert rollout.time.monotonic() == 0


def test_a_server_that_is_starting_again_is_asked_what_it_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [service(ready="iris-1"), behind(), revision(), knative_pod("CrashLoopBackOff")]
    logs = {"p/storage-initializer before": "Traceback", "p/storage-initializer": "I start"}
    with pytest.raises(RolloutError, match="storage-initializer in pod p:\nTraceback"):
        ask(monkeypatch, FakeClient(*objects, logs=logs))


@pytest.mark.parametrize(
    ("statuses", "gives_up"),
    [
        ({"containerStatuses": [ended(2)]}, True),
        ({"containerStatuses": [ended(1)]}, False),
        ({"initContainerStatuses": [ended(2, code=1)]}, True),
        ({"initContainerStatuses": [ended(2)]}, False),
    ],
    ids=["again and again", "once more", "a download that fails", "a download at the third try"],
)
def test_a_server_that_ends_again_and_again_can_not_serve(
    statuses: dict[str, Any], gives_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = {**knative_pod(), "status": statuses}
    reason = "CrashLoopBackOff: container kserve-container of pod p: Completed" if gives_up else "not ready after 300 s"
    with pytest.raises(RolloutError, match=reason):
        ask(monkeypatch, FakeClient(service(ready="iris-1"), behind(), revision(), pod))


def test_a_revision_that_knative_has_given_up_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = revision(status="False", reason="ProgressDeadlineExceeded", message="it never started")
    with pytest.raises(RolloutError, match="ProgressDeadlineExceeded: it never started"):
        ask(monkeypatch, FakeClient(service(ready="iris-1"), behind(), given_up))
    assert rollout.time.monotonic() == 0


@pytest.mark.parametrize("pods", [[], [knative_pod("CrashLoopBackOff")]], ids=["given up", "crashing"])
def test_what_failed_before_is_no_failure_of_another_version(
    pods: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = revision(mark="old", status="False", message="no version 2 of iris")
    failed = {"transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": {"message": "exit code 1"}}
    with pytest.raises(RolloutError, match="not ready after 300 s"):
        ask(monkeypatch, FakeClient(service(modelStatus=failed), behind(), before, *pods))


def test_a_pod_of_a_deleted_revision_that_had_this_name_is_nothing_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [service(ready="iris-1"), behind(), revision(), knative_pod("CrashLoopBackOff", uid="of one before")]
    with pytest.raises(RolloutError, match="not ready after 300 s"):
        ask(monkeypatch, FakeClient(*objects))


def test_what_kserve_can_not_act_on_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    invalid = {"transitionStatus": "InvalidSpec", "lastFailureInfo": {"message": "no runtime mlserver"}}
    with pytest.raises(RolloutError, match="InvalidSpec: no runtime mlserver"):
        ask(monkeypatch, FakeClient(service(created="", modelStatus=invalid)))
    assert rollout.time.monotonic() == 0


@pytest.mark.parametrize(
    ("setting", "way_out"),
    [
        ("ml-platform:workloads.serving.iris.version", []),
        ("ml-platform:workloads.serving.iris.canary.version", [DROP]),
    ],
)  # fmt: skip
def test_the_way_out_is_named(setting: str, way_out: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROPS, "setting", setting)
    with pytest.raises(RolloutError, match="What answered before goes on answering") as refused:
        ask(monkeypatch, FakeClient(service(), behind()))
    assert f"pulumi config set --path '{setting}' <version>" in str(refused.value)
    assert [each for each in [DROP] if each in str(refused.value)] == way_out


def test_in_standard_mode_the_deployment_that_is_rolled_out_and_answers_is_the_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeClient(service(observedGeneration=1), deployment(), model_pod("new"))
    assert ask(monkeypatch, client, "standard")["revision"] == "iris-predictor-4"
    assert client.requests == ["GET /api/v1/namespaces/models/services/iris-predictor:80/proxy/v2/models/iris/ready"]


@pytest.mark.parametrize(
    "objects",
    [
        [service()],
        [service(), deployment({**MARKS, "ml-platform/settings": "old"})],
        [service(), deployment(observedGeneration=4)],
        [service(), deployment(updatedReplicas=1)],
        [service(), deployment(availableReplicas=1)],
        [service(), deployment(replicas=3)],
        [service(conditions=[{"type": "Ready", "status": "False", "message": "no route"}]), deployment()],
    ],
    ids=[
        "no deployment yet", "made for something else", "not seen yet", "not all updated",
        "not all available", "an old pod is left", "not reachable",
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
        ("served", True),
        ("mark", True),
        ("service", True),
        ("mode", True),
        ("kubeconfig", False),
        ("timeout", False),
        ("setting", False),
    ],
)
def test_it_is_asked_for_again_when_something_else_is_to_be_served(key: str, changes: bool) -> None:
    assert rollout._Provider().diff("", PROPS, {**PROPS, key: "other"}).changes is changes


def test_a_volume_that_is_not_there_is_said_at_once_with_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '0/1 nodes are available: persistentvolumeclaim "shelf" not found.'
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    labels = {"serving.knative.dev/revisionUID": "of iris-2"}
    metadata = {"name": "iris-2-abc", "namespace": "models", "labels": labels}
    pod = {"kind": "Pod", "metadata": metadata, "spec": {}, "status": {"phase": "Pending", "conditions": [waits]}}
    props = {**PROPS, "setting": "ml-platform:workloads.serving.iris.image"}
    monkeypatch.setattr(rollout.Client, "from_kubeconfig", lambda *_, **__: client)
    client = FakeClient(service(ready="iris-1"), behind(), revision(), pod)
    with pytest.raises(RolloutError) as refused:
        rollout._Provider().create(props)
    assert "there is no PersistentVolumeClaim 'shelf'" in str(refused.value)
    assert "pulumi config set --path 'ml-platform:workloads.claims.shelf.size' 1Gi" in str(refused.value)
    assert "--path 'ml-platform:workloads.serving.iris.model_files' <model_files>" in str(refused.value)
