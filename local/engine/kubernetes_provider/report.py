"""Why an object is not ready: what its pods say, its last events, the last lines of their logs."""

from typing import Any

from ml_platform.kube import Client, KubeError

from kubernetes_provider.rules import selector_of

Object = dict[str, Any]

EVENTS = 5
LINES = 20
PODS = 3  # a report about more is a wall of the same lines
WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicationController", "Service"})


def pods_of(client: Client, obj: Object) -> list[Object]:
    """The newest pods first; [] where the kind has none or they cannot be read."""
    if obj["kind"] == "Pod":
        return [obj]
    selector = selector_of(obj)
    if obj["kind"] not in WORKLOADS or not selector:
        return []
    try:
        pods = client.list("v1", "Pod", obj["metadata"]["namespace"], labels=selector)
    except KubeError:
        return []
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)


def troubles(pods: list[Object]) -> list[str]:
    """One line for each pod that is not ready and says why."""
    lines = []
    for pod in pods:
        status = pod.get("status") or {}
        for entry in status.get("conditions") or []:
            if entry.get("type") == "PodScheduled" and entry.get("status") == "False":
                lines.append(f"pod {pod['metadata']['name']}: {entry.get('reason')}: {entry.get('message')}")
        for container in _containers(pod):
            if why := _why(container):
                lines.append(f"pod {pod['metadata']['name']}: container {container['name']}: {why}")
    return lines


def reasons(client: Client, obj: Object) -> list[str]:
    """What belongs into the error, most telling first."""
    pods = pods_of(client, obj)
    troubled = [pod for pod in pods if not _is_ready(pod)][:PODS]
    found = troubles(troubled)
    for subject in (obj, *(pod for pod in troubled if pod is not obj)):
        found += _events(client, subject)
    for pod in troubled:
        found += _logs(client, pod)
    return list(dict.fromkeys(found))


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _is_ready(pod: Object) -> bool:
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return True
    return any(
        entry.get("type") == "Ready" and entry.get("status") == "True" for entry in status.get("conditions") or []
    )


def _why(container: Object) -> str:
    state = container.get("state") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    if waiting.get("reason") in (None, "ContainerCreating", "PodInitializing") and not ended:
        return ""
    if ended:
        if ended.get("exitCode") == 0:
            return ""
        return f"{ended.get('reason')}, exit code {ended.get('exitCode')} {ended.get('message', '')}".strip()
    return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")


def _events(client: Client, obj: Object) -> list[str]:
    metadata = obj["metadata"]
    fields = f"involvedObject.name={metadata['name']},involvedObject.kind={obj['kind']}"
    try:
        events = client.list("v1", "Event", metadata.get("namespace") or "default", fields=fields)
    except KubeError:
        return []
    events.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    name = f"{obj['kind']} {metadata['name']}"
    return [f"event: {name}: {event.get('reason')}: {event.get('message')}" for event in events[-EVENTS:]]


def _logs(client: Client, pod: Object) -> list[str]:
    found = []
    metadata = pod["metadata"]
    for container in _containers(pod):
        state = container.get("state") or {}
        started = state.get("running") or state.get("terminated") or container.get("lastState")
        if not started or (state.get("terminated") or {}).get("exitCode") == 0:
            continue
        try:
            text = client.last_words(metadata["namespace"], metadata["name"], container=container["name"], tail=LINES)
        except KubeError as error:
            text = f"(no log: {error.message})"
        if text.strip():
            found.append(f"log of pod {metadata['name']}, container {container['name']}:\n{text.rstrip()}")
    return found
