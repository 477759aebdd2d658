"""What a stack costs a month at most: its nodes if it makes some, else what its pods take; and the same by team.

What can't be priced is counted as nothing here, and told by unpriced.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import UnknownError
from ml_policies.shapes import prices
from ml_policies.shapes.edge import balanced
from ml_policies.shapes.nodes import GKE, Pool, node_pools
from ml_policies.shapes.pods import pods
from ml_policies.shapes.quantities import GIB, number
from ml_policies.shapes.scaling import Scalers, scalers
from ml_policies.shapes.sizes import Size, of_workload
from ml_policies.shapes.workloads import workload

NOBODY = "platform"


@dataclass(frozen=True)
class Cost:
    """A month, at most."""

    own: float = 0.0
    """What is paid for by itself."""
    share: float = 0.0
    """Of nodes: what its pods take. It is paid for with the nodes, where those are the stack's."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.own + other.own, self.share + other.share)


@lru_cache(maxsize=2)
def scaled_by(stack: Stack) -> Scalers:
    return scalers(stack)


@lru_cache(maxsize=2)
def has_nodes(stack: Stack) -> bool:
    """Whether its pods are on nodes that it makes; those of a cluster without pools are made for its pods."""
    made_for_pods = any(each.props.get("enableAutopilot") for each in stack.of(GKE))
    return not made_for_pods and any(any(node_pools(each)) for each in stack)


def of(resource: Resource, stack: Stack) -> Cost:
    """
    Raises:
        UnknownError, ValueError: it has an amount that is not known, or is none.
    """
    if not resource.kubernetes:
        pools = sum(map(_pool, node_pools(resource)))
        return Cost(pools + (prices.each(resource.type) or 0.0) + prices.share(_provisioned(resource)))
    whole = scaled_by(stack).largest(resource)
    disks = prices.monthly("disk_gib") * _bounded(disk(whole))
    size = taken(whole)
    share = prices.share(Size(_bounded(size.cores), _bounded(size.memory), _bounded(size.gpus)))
    return Cost(disks + prices.monthly("load_balancer") * balanced(resource), share)


def _bounded(amount: float) -> float:
    return amount if amount < inf else 0.0


def taken(resource: Resource) -> Size:
    """By a workload, if it is no template of others."""
    return Size() if workload(resource).template else of_workload(resource)


def known(resource: Resource, stack: Stack) -> Cost:
    """Nothing where an amount is not known yet, or is none."""
    try:
        return of(resource, stack)
    except (UnknownError, ValueError):
        return Cost()


@lru_cache(maxsize=2)
def _each(stack: Stack) -> list[tuple[Resource, Cost]]:
    return [(each, known(each, stack)) for each in stack]


def stack(resources: Sequence[Resource]) -> float:
    """Everything that is paid for by itself."""
    declared = resources if isinstance(resources, Stack) else Stack(resources)
    whole = sum((cost for _, cost in _each(declared)), Cost())
    return whole.own + (0.0 if has_nodes(declared) else whole.share)


def teams(stack: Stack, label: str) -> dict[str, float]:
    """Of what is in the namespaces of each team: pods by what they take, volumes by size. Runs as if they never
    ended."""
    owners = {each.metadata.get("name"): each.labels.get(label) for each in stack.of("Namespace")}
    found: defaultdict[str, float] = defaultdict(float)
    for each, cost in _each(stack):
        if each.kubernetes and cost != Cost():
            found[str(each.labels.get(label) or owners.get(each.namespace) or NOBODY)] += cost.own + cost.share
    return dict(found)


def _pool(pool: Pool) -> float:
    return (pool.maximum or 0) * (prices.month(prices.node(pool)) + prices.monthly("disk_gib") * pool.disk)


def _provisioned(resource: Resource) -> Size:
    """What a cluster may make of nodes by itself, where it is bounded."""
    scaling = (resource.props.get("clusterAutoscaling") or {}) if resource.type == GKE else {}
    if not scaling.get("enabled"):
        return Size()
    bounds = scaling.get("resourceLimits") or []
    limits = {str(each.get("resourceType")): number(each.get("maximum") or 0) for each in bounds}
    gpus = sum(count for name, count in limits.items() if name not in ("cpu", "memory"))
    return Size(limits.get("cpu", 0.0), limits.get("memory", 0.0), gpus)


def disk(resource: Resource) -> float:
    """GiB of the volumes that it claims, once for each of its pods where they are those of pods."""
    if resource.kind == "PersistentVolumeClaim":
        return _claimed(resource.spec)
    kind = workload(resource)
    if kind.template:
        return 0.0
    claims = sum(_claimed(each.get("spec") or {}) for each in resource.spec.get("volumeClaimTemplates") or ())
    found = claims * kind.copies(resource, ("spec",)) if claims else 0.0
    for pod in pods(resource):
        size = sum(_ephemeral(volume) for _, volume in pod.volumes)
        found += size * pod.copies if size else 0.0
    return found


def _ephemeral(volume: Any) -> float:
    return _claimed(((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {})


def _claimed(spec: Any) -> float:
    return number(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0)) / GIB
