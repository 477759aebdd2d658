"""Containers keep to the Pod Security Standard `restricted`."""

from collections.abc import Iterator
from typing import Any

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import Container, containers

ADDED = frozenset({"NET_BIND_SERVICE"})
SECCOMP = frozenset({"RuntimeDefault", "Localhost"})


def said(resource: Resource) -> Iterator[Container]:
    """Without those whose security context an operator adds."""
    return (each for each in containers(resource) if each.context or not each.partial)


def check(container: Container, _: NoParameters) -> Iterator[str]:
    context, pod = container.context, container.pod.spec.get("securityContext") or {}
    for problem, remedy in _problems(context, {**pod, **context}):
        yield f"{container.name} {problem}; set {remedy} in its securityContext"


def _problems(context: Any, both: Any) -> Iterator[tuple[str, str]]:
    capabilities = context.get("capabilities") or {}
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may gain more rights than its parent", "allowPrivilegeEscalation: false"
    if "ALL" not in (capabilities.get("drop") or []):
        yield "keeps capabilities of root", "capabilities: {drop: [ALL]}"
    if added := sorted(set(capabilities.get("add") or []) - ADDED):
        yield f"adds capability {', '.join(added)}", "no added capability"
    if both.get("runAsNonRoot") is not True:
        yield "may run as root", "runAsNonRoot: true"
    if both.get("runAsUser") == 0:
        yield "runs as user 0", "another runAsUser"
    if (both.get("seccompProfile") or {}).get("type") not in SECCOMP:
        yield "may make any system call", "seccompProfile: {type: RuntimeDefault}"


POLICY = ResourcePolicy(
    name="restricted-pods",
    asks="Every container keeps to the Pod Security Standard `restricted`.",
    why="A container that is broken into is then a process without rights, and stays one.",
    of=said,
    check=check,
    example="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: models}
spec: {template: {spec: {containers: [{name: web, image: registry.example.com/web}]}}}
""",
)
