"""The newest pods of an InferenceService, as each serving mode shows them: are they what was asked for, and ready?

Knative keeps a revision for each declaration and says which one is ready. In Standard mode there is a Deployment, whose
pods carry what they were made for; KServe's own status goes on calling the service ready while new pods fail beside old
ones. In both, failures are looked for in the new pods: what KServe says may still be of those before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ml_platform.handle import ServingMode
from ml_platform.kube import Client, Object
from ml_platform.labels import SERVICE

from ml_workloads import run_pods

REVISION, DEPLOYMENT = "serving.knative.dev/v1", "apps/v1"
PRIVATE = "networking.internal.knative.dev/serviceType=Private"
"""The label of a revision's Service that leads to its pods alone. Knative puts a hash in the names of some."""
MARK = "ml-platform/settings"
"""The annotation that says what pods are made for. KServe puts those of an InferenceService on what it makes of it."""
CRASHING = "CrashLoopBackOff"
BROKEN = frozenset({CRASHING, "CreateContainerConfigError", "InvalidImageName"})
UNPLACED, NO_QUOTA = "Unschedulable", "exceeded quota"
"""What Knative says of a revision while no node, or no quota, has room for its pods. That is no end: what runs there
ends, or a node is added."""
Part = Literal["predictor", "transformer"]
"""Of an InferenceService; each has pods of its own."""
TRIES = 2
"""Restarts after which one that has ended again is not expected to stay."""


@dataclass(frozen=True)
class Newest:
    """What is known of the newest pods."""

    name: str
    address: str
    """Service and port by which they, and no older ones, are asked once they are ready."""
    ready: bool
    """Whether they are what was asked for, and the ones that serve."""
    failure: str | None
    pods: list[Object]
    """Those of them that are there."""


def newest_of(mode: ServingMode, client: Client, service: Object, part: Part, mark: str) -> Newest:
    """The newest pods of this part of the InferenceService `service`, which shall carry this mark."""
    return (_knative if mode == "knative" else _standard)(client, service, part, mark)


def _knative(client: Client, service: Object, part: Part, mark: str) -> Newest:
    status, meta = service.get("status") or {}, service["metadata"]
    told = status.get("components", {}).get(part, {})
    name = told.get("latestCreatedRevision", "")
    seen = status.get("observedGeneration", meta["generation"]) >= meta["generation"]
    behind = client.find(REVISION, "Service", f"{meta['name']}-{part}", meta["namespace"])
    revision = client.find(REVISION, "Revision", name, meta["namespace"]) if name else None
    wanted = seen and _belongs(behind, service) and _annotations(revision).get(MARK) == mark
    # By its uid: the name may have been that of a deleted one, whose pods still end.
    labels = f"serving.knative.dev/revisionUID={revision['metadata']['uid']}" if revision and wanted else ""
    pods = client.list("v1", "Pod", meta["namespace"], labels=labels) if labels else []
    private = client.list("v1", "Service", meta["namespace"], labels=f"{labels},{PRIVATE}") if labels else []
    return Newest(
        name=name,
        address=f"{private[0]['metadata']['name']}:http" if private else "",
        ready=bool(private) and _is(service, "True") and name == told.get("latestReadyRevision"),
        failure=(_broken(pods) or _refused(revision) if wanted else None) or _invalid(service),
        pods=pods,
    )


def _standard(client: Client, service: Object, part: Part, mark: str) -> Newest:
    meta = service["metadata"]
    name = f"{meta['name']}-{part}"
    deployment = client.find(DEPLOYMENT, "Deployment", name, meta["namespace"]) or {}
    wanted = _belongs(deployment, service) and _wants(deployment["spec"]["template"], mark)
    labels = f"{SERVICE}={meta['name']},component={part}"
    pods = [pod for pod in client.list("v1", "Pod", meta["namespace"], labels=labels) if _wants(pod, mark)]
    revision = _annotations(deployment).get("deployment.kubernetes.io/revision", "")
    return Newest(
        name=f"{name}-{revision}",
        address=f"{name}:80",
        ready=wanted and _is_rolled_out(deployment) and _is(service, "True"),
        failure=_broken(pods) or _invalid(service),
        pods=pods,
    )


def _belongs(item: Object | None, service: Object) -> bool:
    """Whether KServe made it for this very service: what it made for one that was deleted stays for a moment."""
    owners = (item or {}).get("metadata", {}).get("ownerReferences") or []
    return any(owner["uid"] == service["metadata"]["uid"] for owner in owners)


def _annotations(item: Object | None) -> Mapping[str, str]:
    found: Mapping[str, str] = (item or {}).get("metadata", {}).get("annotations") or {}
    return found


def _wants(item: Object, mark: str) -> bool:
    return _annotations(item).get(MARK) == mark


def _is(item: Object | None, ready: str) -> bool:
    """Whether the status of its condition Ready is that."""
    conditions = (item or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == ready for each in conditions)


def _is_rolled_out(deployment: Object) -> bool:
    """All replicas are of the newest template and available, and no older one is left."""
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    return seen and counts == {wanted}


def _invalid(service: Object) -> str | None:
    """What KServe says of a declaration that it can't act on."""
    model = service.get("status", {}).get("modelStatus", {})
    if model.get("transitionStatus") != "InvalidSpec":
        return None
    info = model.get("lastFailureInfo", {})
    return f"InvalidSpec: {info.get('message') or info.get('reason', 'no reason given')}"


def _refused(revision: Object | None) -> str | None:
    """Why Knative has given a revision up, if it has."""
    if revision is None or not _is(revision, "False"):
        return None
    (ready,) = (each for each in revision["status"]["conditions"] if each["type"] == "Ready")
    reason, message = ready.get("reason", "not ready"), ready.get("message", "no reason given")
    return None if reason == UNPLACED or NO_QUOTA in message else f"{reason}: {message}"


def _broken(pods: list[Object]) -> str | None:
    """The volume that is not there, or the first container that can't run as it is declared."""
    if absent := run_pods.without_claim(pods):
        return absent
    for pod in pods:
        status = pod.get("status", {})
        prepares = [each for each in status.get("initContainerStatuses") or [] if not _has_succeeded(each)]
        for container in [*prepares, *(status.get("containerStatuses") or [])]:
            if given_up := _given_up(container):
                reason, why = given_up
                return f"{reason}: container {container['name']} of pod {pod['metadata']['name']}: {why}"
    return None


def _given_up(container: Object) -> tuple[str, str] | None:
    """The reason and its last words. Between two tries a kubelet shows it as waiting, or still as ended."""
    state, before = container.get("state", {}), container.get("lastState", {}).get("terminated") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated")
    if waiting.get("reason") in BROKEN:
        return waiting["reason"], before.get("message") or waiting.get("message", "")
    if ended and container.get("restartCount", 0) >= TRIES:
        return CRASHING, ended.get("message") or ended.get("reason", "")
    return None


def _has_succeeded(container: Object) -> bool:
    ended = container.get("state", {}).get("terminated") or {}
    return ended.get("exitCode") == 0
