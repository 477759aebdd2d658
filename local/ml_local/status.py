"""`make status`: what runs, what it uses, and what does not work. Only looks."""

from __future__ import annotations

from collections.abc import Sequence

from ml_platform.kube import Client, KubeError, Object

from ml_local import console, served, stack
from ml_local.errors import LocalError
from ml_local.node import cgroup, daemons, node, objects
from ml_local.node.layout import Layout


def status(layout: Layout) -> None:
    """Print the daemons, the pods that are not well, memory, the served models, and the stack's outputs.

    Raises:
        LocalError: there is no node, or part of it is not well.
    """
    if not layout.state.exists():
        raise LocalError(f"no node in {layout.state}; `make up` makes one")
    dead = [name for name in node.daemon_names() if not daemons.alive(layout, name)]
    console.line(f"node: {len(node.daemon_names()) - len(dead)} of {len(node.daemon_names())} daemons alive")
    if dead:
        raise LocalError(f"not running: {', '.join(dead)}. `make up` starts them; logs are in {layout.logs}")
    console.line(f"memory: {cgroup.resident_bytes() / 2**20:.0f} MiB resident, node and pods")
    client = node.client(layout)
    unwell = unwell_pods(client)
    for text in (*unwell, *filter(None, [objects.used_up(client)])):
        console.line(f"  {text}")
    outputs = stack.outputs(layout)
    console.line()
    for text in columns(served.table(client, outputs)):
        console.line(f"  {text}")
    console.line()
    console.table(stack.shown(outputs))
    if unwell:
        raise LocalError(f"{len(unwell)} pods are not well; `kubectl describe pod` and `kubectl logs` tell why")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines in which each column begins at one place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def unwell_pods(client: Client) -> list[str]:
    """Pods that are neither ready nor done, each with its reason.

    Raises:
        LocalError: the API server does not answer.
    """
    try:
        pods = client.list("v1", "Pod")
    except KubeError as error:
        raise LocalError(f"the API server does not answer: {error}") from error
    return [f"{p['metadata']['namespace']}/{p['metadata']['name']}: {_reason(p)}" for p in pods if _reason(p)]


def _reason(pod: Object) -> str:
    state = pod.get("status", {})
    conditions = {c["type"]: c["status"] for c in state.get("conditions", [])}
    if state.get("phase") == "Succeeded" or conditions.get("Ready") == "True":
        return ""
    for container in state.get("containerStatuses", []):
        for kind in ("waiting", "terminated"):
            if reason := container.get("state", {}).get(kind, {}).get("reason"):
                return f"{container['name']} {reason}"
    return str(state.get("phase", "unknown"))
