"""Pods keep away from their node."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import NAMESPACES, Container, Pod, pods

WAY_OUT = "drop it, or write an exemption that says why it must be"


def check(part: tuple[str, Pod | Container], _: NoParameters) -> Iterator[str]:
    aspect, holder = part
    yield from (f"{problem}; {WAY_OUT}" for problem in ASPECTS[aspect](holder))


def _namespaces(pod: Pod) -> Iterator[str]:
    yield from (f"{field} opens the node to its pod" for field in NAMESPACES if pod.spec.get(field))
    if _host_process(pod.context):
        yield "hostProcess makes its containers processes of the node"


def _volumes(pod: Pod) -> Iterator[str]:
    for name, volume in pod.volumes:
        if volume.get("hostPath") is not None:
            yield f"volume {name} is the node's path {volume['hostPath'].get('path')}"


def _privileges(container: Container) -> Iterator[str]:
    if container.context.get("privileged"):
        yield f"{container.name} is privileged, so it is root on its node"
    if _host_process(container.context):
        yield f"{container.name} is a process of its node by hostProcess"


def _ports(container: Container) -> Iterator[str]:
    for port in container.spec.get("ports") or []:
        if port.get("hostPort"):
            yield f"{container.name} takes port {port['hostPort']} of its node"


def _host_process(context: Mapping[str, Any]) -> bool:
    return bool((context.get("windowsOptions") or {}).get("hostProcess"))


ASPECTS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "namespaces": _namespaces,
    "volumes": _volumes,
    "privileges": _privileges,
    "ports": _ports,
}


def said(resource: Resource) -> Iterator[tuple[str, Pod | Container]]:
    """Aspects one by one, so that an unknown one hides no other."""
    for pod in pods(resource):
        yield from (("namespaces", pod), ("volumes", pod))
        for container in pod.containers:
            yield from (("privileges", container), ("ports", container))


POLICY = ResourcePolicy(
    name="host-access",
    asks="No pod is privileged, or has a path, a namespace or a port of its node.",
    why="Who owns the node owns all pods on it, with their secrets.",
    of=said,
    check=check,
    example="""
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: models}
spec: {template: {spec: {hostNetwork: true, containers: [{name: agent, image: registry.example.com/agent}]}}}
""",
)
