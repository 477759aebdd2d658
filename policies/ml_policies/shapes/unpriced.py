"""What makes a cost no upper bound: amounts without an end, or without a price, each as a sentence with its way out."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.shapes import prices
from ml_policies.shapes.costs import disk, has_nodes, scaled_by, taken
from ml_policies.shapes.fields import at, path
from ml_policies.shapes.nodes import GKE, node_pools
from ml_policies.shapes.pods import Container, Pod, pods
from ml_policies.shapes.scaling import KINDS
from ml_policies.shapes.translated import TRANSLATED
from ml_policies.shapes.workloads import WORKLOADS, workload

ONE_AT_A_TIME = frozenset({"Forbid", "Replace"})
KARPENTER = "karpenter.sh"


def of_cloud(resource: Resource) -> Iterator[str]:
    """Nodes and all else that a cloud is paid for."""
    for pool in node_pools(resource):
        for machine in sorted({each for each in pool.machines if prices.machine(each) is None}):
            yield f"prices.toml has no price for its machines, {machine!r}; add it, so that it is counted"
        if pool.maximum is None:
            yield "nothing bounds its number of nodes; set the pool's maximum"
    if not any(node_pools(resource)) and prices.each(resource.type) is None:
        yield f"prices.toml does not know what a {resource.type} costs; add it to `each`, `free` or `by_use`"
    scaling = (resource.props.get("clusterAutoscaling") or {}) if resource.type == GKE else {}
    if scaling.get("enabled") and not scaling.get("resourceLimits"):
        yield "it makes nodes by itself, as many as pods ask for; set clusterAutoscaling.resourceLimits"


def of_objects(resource: Resource, stack: Stack) -> Iterator[str]:
    """Nodes that an autoscaler makes, volumes, and pods where the stack does not pay for their nodes."""
    if resource.group == KARPENTER and resource.kind == "NodePool":
        yield "Karpenter makes nodes as pods ask for them; declare node pools, whose size and price are known"
    whole = scaled_by(stack).largest(resource)
    if disk(whole) == inf:
        yield "each of its pods has a volume, and nothing bounds how many they are; set their largest number"
    if not has_nodes(stack):
        yield from _of_pods(whole)


def _of_pods(resource: Resource) -> Iterator[str]:
    kind = workload(resource)
    if kind.template or (not kind.pods + kind.containers and not any(pods(resource))):
        return
    if (resource.group, resource.kind) not in WORKLOADS:
        yield f"how many pods a {resource.kind} makes is not known; declare those, or add its kind to the table"
        return
    size = taken(resource)
    if inf in (size.cores, size.memory, size.gpus):
        yield "nothing bounds how many pods it has; set their largest number"
    if kind.run and kind.run.overlaps and not _alone(resource, kind.run.overlaps):
        yield f"its runs may go on beside each other; set {kind.run.overlaps} to Forbid"
    for pod in pods(resource):
        yield from _of_containers(pod)


def _alone(resource: Resource, place: str) -> bool:
    return all(value in ONE_AT_A_TIME for _, value in at(resource.props, path(place))) and any(
        at(resource.props, path(place))
    )


def _of_containers(pod: Pod) -> Iterator[str]:
    """Those that say nothing of what they take, unless an operator makes something else of them."""
    kind = workload(pod.resource)
    for container in pod.containers:
        if pod.resource.patch or (kind.made and container.partial) or _read(container):
            continue
        said = {**(container.resources.get("requests") or {}), **(container.resources.get("limits") or {})}
        if missing := [each for each in ("cpu", "memory") if each not in said]:
            yield f"{container.name} does not say how much {' and '.join(missing)} it takes; set its resources"


def _read(container: Container) -> bool:
    """Whether it is what another notation says of a container."""
    return not TRANSLATED.keys().isdisjoint(container.path)


def of_scaler(resource: Resource) -> Iterator[str]:
    """An autoscaler whose target can't be found may be of anything."""
    reference = resource.spec.get("scaleTargetRef") or {} if resource.kind in KINDS else {"name": "-"}
    if not reference.get("name"):
        yield "it does not name what it scales; set scaleTargetRef.name"
