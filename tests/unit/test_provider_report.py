"""What an error tells of an object that is not ready."""

from typing import Any

import pytest
from kubernetes_provider import report
from ml_platform.kube import Client, KubeError

pytestmark = pytest.mark.unit


class Cluster:
    """Pods, events and logs as a test gives them."""

    def __init__(self, pods: list[dict[str, Any]], log: str = "") -> None:
        self.pods = pods
        self.log = log
        self.asked: list[tuple[str, str, bool]] = []

    def list(self, api_version: str, kind: str, namespace: str, **selectors: str) -> list[dict[str, Any]]:
        if kind == "Pod":
            return self.pods
        name = selectors["fields"].partition("involvedObject.name=")[2].partition(",")[0]
        return [
            {"reason": "Later", "message": f"about {name}", "lastTimestamp": "2"},
            {"reason": "Sooner", "message": f"about {name}", "lastTimestamp": "1"},
        ]

    def logs(self, namespace: str, pod: str, *, container: str, tail: int, previous: bool) -> str:
        self.asked.append((pod, container, previous))
        if not self.log:
            raise KubeError(400, "BadRequest", "no log yet")
        return self.log

    last_words = Client.last_words


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "namespace": "n"},
    "spec": {"selector": {"matchLabels": {"a": "b"}}},
}


def pod(name: str, *, ready: bool = False, **state: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "n", "creationTimestamp": name},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "main", "state": state, "lastState": {}}],
        },
    }


def reasons(cluster: Cluster, obj: dict[str, Any] = DEPLOYMENT) -> list[str]:
    return report.reasons(cluster, obj)  # type: ignore[arg-type]


def test_the_state_of_containers_then_events_then_logs() -> None:
    crashed = pod("p1", terminated={"exitCode": 3, "reason": "Error"})
    assert reasons(Cluster([crashed, pod("p2", ready=True, running={})], "the reason\n")) == [
        "pod p1: container main: Error, exit code 3",
        "event: Deployment d: Sooner: about d",
        "event: Deployment d: Later: about d",
        "event: Pod p1: Sooner: about p1",
        "event: Pod p1: Later: about p1",
        "log of pod p1, container main:\nthe reason",
    ]


def test_a_container_that_restarts_shows_its_last_life() -> None:
    waiting = pod("p1", waiting={"reason": "CrashLoopBackOff", "message": "back-off"})
    waiting["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 1}}
    cluster = Cluster([waiting], "said before")
    told = reasons(cluster)
    assert told[0] == "pod p1: container main: CrashLoopBackOff: back-off"
    assert told[-1] == "log of pod p1, container main:\nsaid before"
    assert cluster.asked[-1] == ("p1", "main", True)


def test_a_log_that_cannot_be_read_says_why() -> None:
    told = reasons(Cluster([pod("p1", running={"startedAt": "1"})]))
    assert told[-1] == "log of pod p1, container main:\n(no log: no log yet)"


def test_a_container_that_never_started_has_no_log() -> None:
    cluster = Cluster([pod("p1", waiting={"reason": "ErrImagePull", "message": "no such image"})], "unasked")
    assert "unasked" not in "".join(reasons(cluster))


def test_a_pod_that_finds_no_node_says_so() -> None:
    homeless = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n"},
        "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}]
        },
    }
    assert report.troubles([homeless]) == ["pod p: Unschedulable: 0/1"]


def test_kinds_without_pods_have_events_only() -> None:
    told = reasons(Cluster([pod("p1")]), {"kind": "Widget", "metadata": {"name": "w", "namespace": "n"}, "spec": {}})
    assert told == ["event: Widget w: Sooner: about w", "event: Widget w: Later: about w"]
