"""Node pools of the clouds, in one set of words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ml_policies.engine.resource import Resource

GOOGLE, AMAZON, IONOS = (
    "gcp:container/nodePool:NodePool",
    "aws:eks/nodeGroup:NodeGroup",
    "ionoscloud:k8s/nodePool:NodePool",
)
POOLS = frozenset({GOOGLE, AMAZON, IONOS})
ZONES = 3
"""Of a regional cluster of Google, in each of which a pool has its nodes."""


@dataclass(frozen=True)
class Pool:
    resource: Resource
    machine: str
    """As the price table names it."""
    maximum: int | None
    """Nodes at most; None without a bound."""
    gpus: int
    """Of one node, as far as the declaration says."""
    spot: bool
    disk: float
    """GB of one node."""


def node_pools(resource: Resource) -> Iterator[Pool]:
    if resource.type == GOOGLE:
        yield _google(resource)
    elif resource.type == AMAZON:
        yield _amazon(resource)
    elif resource.type == IONOS:
        yield _ionos(resource)


def _google(resource: Resource) -> Pool:
    props, node = resource.props, resource.props.get("nodeConfig") or {}
    scaling = props.get("autoscaling") or {}
    each_zone = scaling.get("maxNodeCount") or (None if scaling else props.get("nodeCount"))
    whole = scaling.get("totalMaxNodeCount")
    maximum = whole or (each_zone and each_zone * len(props.get("nodeLocations") or range(ZONES)))
    gpus = sum(int(each.get("count", 1)) for each in node.get("guestAccelerators") or [])
    spot = bool(node.get("spot") or node.get("preemptible"))
    return Pool(resource, str(node.get("machineType", "")), maximum, gpus, spot, node.get("diskSizeGb") or 100)


def _amazon(resource: Resource) -> Pool:
    props = resource.props
    machine = str((props.get("instanceTypes") or [""])[0])
    maximum = (props.get("scalingConfig") or {}).get("maxSize")
    gpus = 1 if machine[:1] in ("g", "p") else 0
    return Pool(resource, machine, maximum, gpus, props.get("capacityType") == "SPOT", props.get("diskSize") or 20)


def _ionos(resource: Resource) -> Pool:
    props = resource.props
    maximum = (props.get("autoScaling") or {}).get("maxNodeCount") or props.get("nodeCount")
    machine = f"ionos-{props.get('coresCount', 0):g}x{props.get('ramSize', 0) / 1024:g}"
    return Pool(resource, machine, maximum, 0, False, props.get("storageSize") or 0)
