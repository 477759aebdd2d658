"""The symptoms of pods that do not work: states, warning events and last log lines.

The caller adds what was expected of them and what to do.
"""

from collections.abc import Iterator
from typing import Any

from ml_platform.bundles.parse import Object
from ml_platform.kube import Client, KubeError

LINES = 10
WARNINGS = 5


def symptoms(client: Client, namespace: str, selector: str) -> str:
    """The symptoms of the first two pods that `selector` matches, one a line; pods that can't be read are reported."""
    try:
        pods = client.list("v1", "Pod", namespace, labels=selector)
    except KubeError as error:
        return f"Its pods in namespace {namespace} ({selector}) can't be read: {error.message}"
    if not pods:
        return f"No pod in namespace {namespace} has the labels {selector}."
    return "\n".join(line for pod in pods[:2] for line in _pod(client, namespace, pod))


def _pod(client: Client, namespace: str, pod: Object) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    yield f"Pod {name} is {status.get('phase', 'unknown')}."
    for condition in status.get("conditions") or []:
        if condition["status"] == "False" and condition.get("message"):
            yield f"  {condition['type']}: {condition['message']}"
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        yield from _container(client, namespace, name, container)
    yield from _warnings(client, namespace, name)


def _container(client: Client, namespace: str, pod: str, container: Object) -> Iterator[str]:
    name = container["name"]
    state: Object = container.get("state") or {"unknown": {}}
    kind, detail = next(iter(state.items()))
    said = " ".join(str(detail[key]) for key in ("reason", "exitCode", "message") if detail.get(key) is not None)
    restarts = container.get("restartCount", 0)
    yield f"  container {name}: {kind} {said}".rstrip() + (f", {restarts} restarts" if restarts else "")
    try:
        lines = client.last_words(namespace, pod, container=name, tail=LINES)
    except KubeError:
        return  # a container that never ran has no log, and its state says why
    yield from (f"    {line}" for line in lines.splitlines())


def _warnings(client: Client, namespace: str, pod: str) -> Iterator[str]:
    fields = f"involvedObject.name={pod},type=Warning"
    try:
        events: list[Any] = client.list("v1", "Event", namespace, fields=fields)
    except KubeError:
        return
    newest = sorted(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime")))[-WARNINGS:]
    yield from (f"  {event.get('reason')}: {event.get('message')}" for event in newest)
