"""Pods keep away from their node."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.shapes.pods import Pod, pods

NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
WAY_OUT = "drop it, or write an exemption that says why it must be"


def check(pod: Pod, _: NoParameters) -> Iterator[str]:
    yield from (f"{field} opens the node to its pod; {WAY_OUT}" for field in NAMESPACES if pod.spec.get(field))
    for volume in pod.spec.get("volumes") or []:
        if "hostPath" in volume:
            yield f"volume {volume['name']} is the node's path {volume['hostPath']['path']}; {WAY_OUT}"
    for field in ("initContainers", "containers"):
        for container in pod.spec.get(field) or []:
            if (container.get("securityContext") or {}).get("privileged"):
                yield f"container {container['name']} is privileged, so it is root on its node; {WAY_OUT}"
            for port in container.get("ports") or []:
                if port.get("hostPort"):
                    yield f"container {container['name']} takes port {port['hostPort']} of its node; {WAY_OUT}"


POLICY = ResourcePolicy(
    name="host-access",
    asks="No pod is privileged, or has a path, a namespace or a port of its node.",
    why="Who owns the node owns all pods on it, with their secrets.",
    of=pods,
    check=check,
    example="""
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: models}
spec: {template: {spec: {hostNetwork: true, containers: [{name: agent, image: registry.example.com/agent}]}}}
""",
)
