"""Containers say what they need and what they may take."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import Container, containers
from ml_policies.shapes.workloads import workload


class Needed(Parameters):
    needed: tuple[str, ...] = ("requests.cpu", "requests.memory", "limits.memory")
    """What each container must say. A limit of memory bounds what a leak takes; one of the processor only slows down,
    so it is not asked for."""


def said(resource: Resource) -> Iterator[Container]:
    """Without those that an operator sizes, or who names the template that they are in."""
    return (each for each in containers(resource) if _sized(each)) if workload(resource).sized else iter(())


def _sized(container: Container) -> bool:
    """Whether it must say so itself; what is not known is asked for by `check`."""
    return not container.partial or not {"resources", "resourcesPerNode"}.isdisjoint(container.spec)


def check(container: Container, parameters: Needed) -> Iterator[str]:
    missing = []
    for need in parameters.needed:
        kind, _, name = need.partition(".")
        given = container.resources.get(kind) or {}
        # A limit alone is a request too: Kubernetes copies it.
        if name not in given and not (kind == "requests" and name in (container.resources.get("limits") or {})):
            missing.append(need)
    if missing:
        yield f"{container.name} has no {', no '.join(missing)}; set resources.{missing[0]} and so on"


POLICY = ResourcePolicy(
    name="bounded-resources",
    asks="Every container requests processor and memory, and has a limit of memory.",
    why="Without requests the scheduler packs nodes blindly; without a limit one leak takes its neighbours down.",
    parameters=Needed,
    of=said,
    check=check,
    example="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: models}
spec: {template: {spec: {containers: [{name: web, image: registry.example.com/web, resources: {requests: {cpu: 1}}}]}}}
""",
)
