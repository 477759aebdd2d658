"""When one reading of an object counts as ready, and what is said while it does not."""

from typing import Any

import pytest
from kubernetes_provider import jsonpath
from kubernetes_provider.readiness import rule
from kubernetes_provider.rules import Readiness

pytestmark = pytest.mark.unit


class Nothing:
    """A cluster with what a test puts into it, by kind."""

    def __init__(self, **objects: list[dict[str, Any]]) -> None:
        self.objects = objects

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        return self.objects[kind][0]

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, labels: str | None = None
    ) -> list[dict[str, Any]]:
        return self.objects.get(kind, [])


def asked(
    api_version: str,
    kind: str,
    spec: Any = None,
    status: Any = None,
    look: Nothing | None = None,
    await_all: bool = False,
    **metadata: Any,
) -> Readiness | None:
    obj = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "n", "generation": 2, **metadata},
        "spec": spec or {},
        "status": status or {},
    }
    found = rule(obj, obj, await_all=await_all)
    return found(obj, look or Nothing()) if found else None  # type: ignore[arg-type]


def is_ready(*args: Any, **kwargs: Any) -> bool:
    answer = asked(*args, **kwargs)
    return answer is None or answer.done


ROLLED_OUT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ROLLED_OUT, True),
        (ROLLED_OUT | {"observedGeneration": 1}, False),
        (ROLLED_OUT | {"updatedReplicas": 1}, False),
        (ROLLED_OUT | {"replicas": 3}, False),
        (ROLLED_OUT | {"availableReplicas": 1}, False),
    ],
)
def test_a_deployment_is_rolled_out(status: dict[str, Any], expected: bool) -> None:
    assert is_ready("apps/v1", "Deployment", {"replicas": 2}, status) is expected


def test_a_deployment_that_gave_up_has_failed() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too slow"}
    answer = asked("apps/v1", "Deployment", {}, {"observedGeneration": 2, "conditions": [condition]})
    assert answer == Readiness(False, "too slow", failed=True)


def test_a_stateful_set_waits_for_its_revision_unless_pods_are_replaced_by_hand() -> None:
    status = ROLLED_OUT | {"updateRevision": "b", "currentRevision": "a"}
    by_hand = {"replicas": 2, "updateStrategy": {"type": "OnDelete"}}
    assert not is_ready("apps/v1", "StatefulSet", {"replicas": 2}, status)
    assert is_ready("apps/v1", "StatefulSet", {"replicas": 2}, status | {"currentRevision": "b"})
    assert is_ready("apps/v1", "StatefulSet", by_hand, status)


def test_a_job_completes_fails_or_is_suspended() -> None:
    def job(condition: str) -> Readiness | None:
        conditions = [{"type": condition, "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}]
        return asked("batch/v1", "Job", {}, {"conditions": conditions})

    assert job("Complete") == Readiness(True)
    assert job("Failed") == Readiness(False, "BackoffLimitExceeded: m", failed=True)
    assert is_ready("batch/v1", "Job", {"suspend": True})
    assert asked("batch/v1", "Job", {}, {"active": 1}) == Readiness(False, "waiting for the job to complete (1 active)")


def test_a_service_needs_endpoints_only_of_pods_that_are_there() -> None:
    spec = {"selector": {"a": "b"}, "clusterIP": "10.0.0.1"}
    pod = {"status": {"phase": "Running"}}

    def with_endpoints(*ready: bool) -> bool:
        slices = [{"endpoints": [{"conditions": {"ready": each}} for each in ready]}]
        return is_ready("v1", "Service", spec, look=Nothing(Pod=[pod], EndpointSlice=slices))

    assert is_ready("v1", "Service", spec)
    assert is_ready("v1", "Service", {"clusterIP": "None", "selector": {"a": "b"}}, look=Nothing(Pod=[pod]))
    assert not with_endpoints()
    assert not with_endpoints(True, False)
    assert with_endpoints(True, True)
    assert not is_ready("v1", "Service", {"type": "LoadBalancer"})


def test_a_claim_for_a_late_volume_is_ready_while_it_waits() -> None:
    spec = {"storageClassName": "late"}
    late = Nothing(StorageClass=[{"volumeBindingMode": "WaitForFirstConsumer"}])
    early = Nothing(StorageClass=[{"volumeBindingMode": "Immediate"}])
    assert is_ready("v1", "PersistentVolumeClaim", spec, {"phase": "Pending"}, look=late)
    assert not is_ready("v1", "PersistentVolumeClaim", spec, {"phase": "Pending"}, look=early)
    assert is_ready("v1", "PersistentVolumeClaim", spec, {"phase": "Bound"})


def test_wait_for_is_a_condition_of_the_present_generation() -> None:
    def widget(**condition: Any) -> bool:
        annotations = {"pulumi.com/waitFor": "condition=Ready"}
        status = {"conditions": [{"type": "ready", "status": "True", **condition}]}
        return is_ready("example.com/v1", "Widget", {}, status, annotations=annotations)

    assert widget()
    assert widget(observedGeneration=2)
    assert not widget(observedGeneration=1)
    assert not widget(status="False")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("condition=Synced=False", True),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}=Done", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.absent}", False),
        ('["jsonpath={.status.phase}", "condition=Ready"]', False),
        ('["jsonpath={.status.phase}", "condition=Synced=False"]', True),
        ("jsonpath={.status.hooks[*].bundle}=x", True),
    ],
)
def test_wait_for_expressions(expression: str, expected: bool) -> None:
    status = {
        "phase": "Running",
        "conditions": [{"type": "Synced", "status": "False"}],
        "hooks": [{"bundle": "x"}, {"bundle": "x"}],
    }
    annotations = {"pulumi.com/waitFor": expression}
    assert is_ready("example.com/v1", "Widget", {}, status, annotations=annotations) is expected


@pytest.mark.parametrize("expression", ["Ready", "condition=", "jsonpath=", "[]", "jsonpath={.a[1:2]}"])
def test_an_expression_that_is_none_is_quoted(expression: str) -> None:
    with pytest.raises(ValueError, match=r"waitFor|JSONPath"):
        asked("example.com/v1", "Widget", annotations={"pulumi.com/waitFor": expression})


def test_skip_await_wins_and_other_kinds_are_ready_at_once() -> None:
    annotations = {"pulumi.com/skipAwait": "true", "pulumi.com/waitFor": "condition=Ready"}
    assert asked("example.com/v1", "Widget", annotations=annotations) is None
    assert asked("v1", "ConfigMap") is None


def test_await_all_reads_what_kinds_commonly_say() -> None:
    def widget(*conditions: tuple[str, str]) -> bool:
        found = [{"type": kind, "status": status} for kind, status in conditions]
        return is_ready("example.com/v1", "Widget", {}, {"conditions": found}, await_all=True)

    assert widget()
    assert widget(("Ready", "True"))
    assert not widget(("Ready", "False"))
    assert not widget(("Ready", "True"), ("Reconciling", "True"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("{.a.b}", [1]),
        (".a.b", [1]),
        ("$.a['b']", [1]),
        ('{.a["b"]}', [1]),
        ("{.list[0].n}", ["x"]),
        ("{.list[-1].n}", ["y"]),
        ("{.list[*].n}", ["x", "y"]),
        ('{.list[?(@.n=="y")].v}', [2]),
        ("{.list[?(@.n!='y')].v}", [1]),
        ("{.list[?(@.v==2)].n}", ["y"]),
        ("{.list[?(@.absent)].n}", []),
        ("{.absent.b}", []),
    ],
)
def test_json_paths(path: str, expected: list[Any]) -> None:
    tree = {"a": {"b": 1}, "list": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]}
    assert jsonpath.parse(path)(tree) == expected
