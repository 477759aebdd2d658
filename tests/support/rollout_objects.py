"""The objects of one served model, as an API server has them."""

from __future__ import annotations

from typing import Any

OWNED = [{"uid": "this very one"}]
MARKS = {"ml-platform/settings": "x"}


def service(created: str = "iris-2", ready: str = "iris-2", **status: Any) -> dict[str, Any]:
    predictor = {"latestCreatedRevision": created, "latestReadyRevision": ready}
    return {
        "kind": "InferenceService",
        "metadata": {"name": "iris", "namespace": "models", "generation": 2, "uid": "this very one"},
        "status": {
            "observedGeneration": 2,
            "components": {"predictor": predictor},
            "conditions": [{"type": "Ready", "status": "True"}],
            **status,
        },
    }


def behind(owners: list[dict[str, str]] = OWNED) -> dict[str, Any]:
    metadata = {"name": "iris-predictor", "namespace": "models", "ownerReferences": owners}
    return {"kind": "Service", "metadata": metadata}


def revision(name: str = "iris-2", mark: str = "x", **ready: str) -> dict[str, Any]:
    annotations = {"ml-platform/settings": mark}
    return {
        "kind": "Revision",
        "metadata": {"name": name, "namespace": "models", "uid": f"of {name}", "annotations": annotations},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown", **ready}]},
    }


def private(name: str = "iris-2-private", uid: str = "of iris-2", kind: str = "Private") -> dict[str, Any]:
    """A Service that Knative makes for a revision."""
    labels = {"serving.knative.dev/revisionUID": uid, "networking.internal.knative.dev/serviceType": kind}
    return {"kind": "Service", "metadata": {"name": name, "namespace": "models", "labels": labels}}


def model_pod(name: str, marks: dict[str, str] = MARKS, waiting: str | None = None) -> dict[str, Any]:
    labels = {"serving.kserve.io/inferenceservice": "iris", "component": "predictor"}
    state = {"waiting": {"reason": waiting, "message": "back-off 10s"}} if waiting else {"running": {}}
    ended = {"terminated": {"message": "no version 3 of iris"}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "models", "labels": labels, "annotations": marks},
        "status": {"initContainerStatuses": [{"name": "storage-initializer", "state": state, "lastState": ended}]},
    }


def knative_pod(waiting: str | None = None, uid: str = "of iris-2") -> dict[str, Any]:
    pod = model_pod("p", waiting=waiting)
    pod["metadata"]["labels"] = {"serving.knative.dev/revision": "iris-2", "serving.knative.dev/revisionUID": uid}
    return pod


def ended(restarts: int, code: int = 0) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": "Completed"}}
    return {"name": "kserve-container", "state": state, "restartCount": restarts}


def deployment(marks: dict[str, str] = MARKS, **status: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 2)
    annotations = {"deployment.kubernetes.io/revision": "4"}
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "iris-predictor",
            "namespace": "models",
            "generation": 5,
            "annotations": annotations,
            "ownerReferences": OWNED,
        },
        "spec": {"replicas": 2, "template": {"metadata": {"annotations": marks}}},
        "status": {"observedGeneration": 5, **counts, **status},
    }
