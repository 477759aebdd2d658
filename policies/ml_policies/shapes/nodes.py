"""Node pools of the clouds, in one set of words, and single machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource

GOOGLE, AMAZON, IONOS = (
    "gcp:container/nodePool:NodePool",
    "aws:eks/nodeGroup:NodeGroup",
    "ionoscloud:k8s/nodePool:NodePool",
)
GKE, EKS = "gcp:container/cluster:Cluster", "aws:eks/cluster:Cluster"
MACHINES = {"aws:ec2/instance:Instance": "instanceType", "gcp:compute/instance:Instance": "machineType"}
ZONES = 3
"""Of a regional cluster of Google, in each of which a pool has its nodes."""
ACCELERATED = re.compile(r"^((p|g|gr|inf|trn|dl|vt|f)[0-9][a-z0-9-]*\.|(a[2-9]x?|g[2-9]|ct[0-9][a-z0-9]*)-)")
"""Families of machines that have GPUs or other accelerators of their own."""


@dataclass(frozen=True)
class Pool:
    resource: Resource
    machines: tuple[str, ...]
    """Any of which a node may be, as the price table names them."""
    maximum: int | None
    """Nodes at most; None without a bound."""
    gpus: int
    """Of one node, as far as the declaration says."""
    spot: bool
    disk: float
    """GB of one node."""


def node_pools(resource: Resource) -> Iterator[Pool]:
    if resource.type == GOOGLE:
        yield _google(resource, resource.props)
    elif resource.type == GKE:
        yield from _of_cluster(resource)
    elif resource.type == AMAZON:
        yield _amazon(resource)
    elif resource.type == IONOS:
        yield _ionos(resource)
    elif resource.type in MACHINES:
        machine = str(resource.props.get(MACHINES[resource.type], "")).rpartition("/")[2]
        yield Pool(resource, (machine,), 1, _gpus(machine), False, 0)


def _of_cluster(resource: Resource) -> Iterator[Pool]:
    """Pools that a cluster of Google's has in itself."""
    props = resource.props
    if props.get("enableAutopilot"):
        return
    yield from (_google(resource, {"nodeLocations": props.get("nodeLocations"), **each})
                for each in props.get("nodePools") or [])  # fmt: skip
    if props.get("initialNodeCount") and not (props.get("removeDefaultNodePool") or props.get("nodePools")):
        yield _google(resource, {**props, "nodeCount": props["initialNodeCount"]})


def _google(resource: Resource, props: Any) -> Pool:
    node = props.get("nodeConfig") or {}
    machine = str(node.get("machineType") or "e2-medium")
    scaling = props.get("autoscaling") or {}
    each_zone = scaling.get("maxNodeCount") or (None if scaling else props.get("nodeCount"))
    whole = scaling.get("totalMaxNodeCount")
    maximum = whole or (each_zone and each_zone * len(props.get("nodeLocations") or range(ZONES)))
    gpus = sum(int(each.get("count", 1)) for each in node.get("guestAccelerators") or []) or _gpus(machine)
    spot = bool(node.get("spot") or node.get("preemptible"))
    return Pool(resource, (machine,), maximum, gpus, spot, node.get("diskSizeGb") or 100)


def _amazon(resource: Resource) -> Pool:
    props = resource.props
    machines = tuple(str(each) for each in props.get("instanceTypes") or [""])
    maximum = (props.get("scalingConfig") or {}).get("maxSize")
    gpus = max(map(_gpus, machines))
    return Pool(resource, machines, maximum, gpus, props.get("capacityType") == "SPOT", props.get("diskSize") or 20)


def _ionos(resource: Resource) -> Pool:
    props = resource.props
    maximum = (props.get("autoScaling") or {}).get("maxNodeCount") or props.get("nodeCount")
    machine = f"ionos-{props.get('coresCount', 0):g}x{props.get('ramSize', 0) / 1024:g}"
    return Pool(resource, (machine,), maximum, 0, False, props.get("storageSize") or 0)


def _gpus(machine: str) -> int:
    return 1 if ACCELERATED.match(machine) else 0
