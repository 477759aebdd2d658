"""The built-in rules: when an object of a known kind counts as ready.

Each looks at one reading of the object (and, through `look`, at what belongs to it) and waits for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Object = dict[str, Any]

TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105 - a type, not a secret


@dataclass(frozen=True)
class Readiness:
    """`message` says what is missing; `failed` that it will never come."""

    done: bool
    message: str = ""
    failed: bool = False


READY = Readiness(True)


class Look(Protocol):
    """How a rule reads what belongs to the object."""

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object: ...

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, labels: str | None = None
    ) -> list[Object]: ...


Rule = Callable[[Object, Look], Readiness]


def condition(obj: Object, kind: str) -> Object:
    """The condition of that type (in any case), or {}."""
    for entry in _status(obj).get("conditions") or []:
        if str(entry.get("type", "")).lower() == kind.lower():
            found: Object = entry
            return found
    return {}


def selector_of(obj: Object) -> str:
    """The label selector of a workload's pods, as the API takes it."""
    selector = obj.get("spec", {}).get("selector") or {}
    labels = selector.get("matchLabels", selector) if isinstance(selector, dict) else {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if isinstance(value, str))


def has_condition(obj: Object, kind: str, status: str) -> Readiness:
    entry = condition(obj, kind)
    if not entry:
        return Readiness(False, f"waiting for condition {kind}={status}")
    seen = entry.get("observedGeneration", _status(obj).get("observedGeneration"))
    if seen is not None and seen < obj["metadata"].get("generation", 0):
        return Readiness(False, f"waiting for condition {kind}={status} of the present generation")
    if str(entry.get("status", "")).lower() == status.lower():
        return READY
    why = ": ".join(str(entry[key]) for key in ("reason", "message") if entry.get(key))
    return Readiness(False, f"condition {kind} is {entry.get('status')}" + (f" ({why})" if why else ""))


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def _observed(obj: Object) -> bool:
    return bool(_status(obj).get("observedGeneration", 0) >= obj["metadata"].get("generation", 0))


def _counted(have: int, want: int, what: str) -> Readiness:
    return READY if have >= want else Readiness(False, f"{have} of {want} {what}")


def _deployment(obj: Object, _: Look) -> Readiness:
    spec, status, want = obj["spec"], _status(obj), obj["spec"].get("replicas", 1)
    if spec.get("paused"):
        return READY
    progress = condition(obj, "Progressing")
    if not _observed(obj):
        return Readiness(False, "waiting for the controller to see the change")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return Readiness(False, str(progress.get("message")), failed=True)
    if not (updated := _counted(status.get("updatedReplicas", 0), want, "replicas are updated")).done:
        return updated
    if status.get("replicas", 0) > want:
        return Readiness(False, f"{status['replicas'] - want} old replicas are going")
    return _counted(status.get("availableReplicas", 0), want, "replicas are available")


def _stateful_set(obj: Object, _: Look) -> Readiness:
    spec, status, want = obj["spec"], _status(obj), obj["spec"].get("replicas", 1)
    strategy = spec.get("updateStrategy") or {}
    if not _observed(obj):
        return Readiness(False, "waiting for the controller to see the change")
    if strategy.get("type") != "OnDelete":
        partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
        updated = _counted(status.get("updatedReplicas", 0), want - partition, "replicas are updated")
        if not updated.done:
            return updated
        if not partition and status.get("updateRevision") != status.get("currentRevision"):
            return Readiness(False, "waiting for the old revision to go")
    return _counted(status.get("readyReplicas", 0), want, "replicas are ready")


def _daemon_set(obj: Object, _: Look) -> Readiness:
    status = _status(obj)
    if not _observed(obj):
        return Readiness(False, "waiting for the controller to see the change")
    want = status.get("desiredNumberScheduled", 0)
    updated = _counted(status.get("updatedNumberScheduled", 0), want, "pods are updated")
    return _counted(status.get("numberAvailable", 0), want, "pods are available") if updated.done else updated


def _replication_controller(obj: Object, _: Look) -> Readiness:
    return _counted(_status(obj).get("availableReplicas", 0), obj["spec"].get("replicas", 1), "are available")


def _job(obj: Object, _: Look) -> Readiness:
    if obj["spec"].get("suspend") or condition(obj, "Complete").get("status") == "True":
        return READY
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        return Readiness(False, f"{failed.get('reason')}: {failed.get('message')}", failed=True)
    status = _status(obj)
    counts = ", ".join(f"{status[key]} {key}" for key in ("active", "succeeded", "failed") if status.get(key))
    begun = "between pods" if status.get("startTime") else "not started"
    return Readiness(False, f"waiting for the job to complete ({counts or begun})")


def _pod(obj: Object, _: Look) -> Readiness:
    phase = _status(obj).get("phase", "Pending")
    if phase == "Succeeded" or condition(obj, "Ready").get("status") == "True":
        return READY
    return Readiness(False, f"the pod is {phase}, not ready", failed=phase == "Failed")


def _service(obj: Object, look: Look) -> Readiness:
    spec = obj["spec"]
    if spec.get("type") == "LoadBalancer" and not (_status(obj).get("loadBalancer") or {}).get("ingress"):
        return Readiness(False, "waiting for a load balancer to get an address")
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None" or not spec.get("selector"):
        return READY
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    pods = look.list("v1", "Pod", namespace, labels=selector_of(obj))
    if not any(_status(pod).get("phase") not in ("Succeeded", "Failed") for pod in pods):
        return READY
    label = f"kubernetes.io/service-name={name}"
    endpoints = [
        (endpoint.get("conditions") or {}).get("ready", True)
        for part in look.list("discovery.k8s.io/v1", "EndpointSlice", namespace, labels=label)
        for endpoint in part.get("endpoints") or []
    ]
    if endpoints and all(endpoints):
        return READY
    return Readiness(False, f"{sum(endpoints)} of {len(endpoints)} endpoints are ready")


def _ingress(obj: Object, look: Look) -> Readiness:
    if not (_status(obj).get("loadBalancer") or {}).get("ingress"):
        return Readiness(False, "waiting for the controller to give the ingress an address")
    there = {item["metadata"]["name"] for item in look.list("v1", "Service", obj["metadata"]["namespace"])}
    paths = [path for entry in obj["spec"].get("rules") or [] for path in (entry.get("http") or {}).get("paths") or []]
    wanted = {(path.get("backend") or {}).get("service", {}).get("name") for path in paths} - {None}
    missing = ", ".join(sorted(wanted - there))
    return Readiness(False, f"no service {missing} for a rule") if missing else READY


def _volume(obj: Object, _: Look) -> Readiness:
    phase = _status(obj).get("phase", "Pending")
    return READY if phase in ("Available", "Bound") else Readiness(False, f"the volume is {phase}")


def _claim(obj: Object, look: Look) -> Readiness:
    phase = _status(obj).get("phase", "Pending")
    if phase == "Bound":
        return READY
    storage_class = obj["spec"].get("storageClassName")
    if phase == "Pending" and storage_class:
        found = look.get("storage.k8s.io/v1", "StorageClass", storage_class)
        if found.get("volumeBindingMode") == "WaitForFirstConsumer":
            return READY
    return Readiness(False, f"the claim is {phase}, waiting for a volume", failed=phase == "Lost")


def _quota(obj: Object, _: Look) -> Readiness:
    counted = _status(obj).get("hard") == obj["spec"].get("hard", {})
    return READY if counted else Readiness(False, "waiting for the quota to be counted")


def _secret(obj: Object, _: Look) -> Readiness:
    waits = obj.get("type") == TOKEN_SECRET and not obj.get("data")
    return Readiness(False, "waiting for the token") if waits else READY


def _crd(obj: Object, _: Look) -> Readiness:
    names = condition(obj, "NamesAccepted")
    if names.get("status") == "False":
        return Readiness(False, str(names.get("message")), failed=True)
    established = condition(obj, "Established").get("status") == "True"
    return READY if established else Readiness(False, "waiting for the kind to be established")


def generic(obj: Object, _: Look) -> Readiness:
    if not _observed(obj) and "observedGeneration" in _status(obj):
        return Readiness(False, "waiting for the controller to see the change")
    stalled = condition(obj, "Stalled")
    if stalled.get("status") == "True":
        return Readiness(False, str(stalled.get("message")), failed=True)
    if condition(obj, "Reconciling").get("status") == "True":
        return Readiness(False, str(condition(obj, "Reconciling").get("message")))
    ready = condition(obj, "Ready")
    return READY if not ready else has_condition(obj, "Ready", "True")


BUILT_IN: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "ReplicationController"): _replication_controller,
    ("", "ResourceQuota"): _quota,
    ("", "Secret"): _secret,
}
