"""On which nodes pods run: what a pod has to say to run on those of one pool.

Plain values. Pools themselves are made in clusters/, or by others and described in the settings.
"""

from collections.abc import Mapping
from typing import Any

from ml_platform.labels import POOL, PURPOSE
from ml_platform.pods import Placement
from ml_platform.settings import AnyCluster, LocalCluster
from ml_platform.settings.clouds import CloudCluster, NodePoolSettings, Purpose
from ml_platform.settings.pools import GivenPoolSettings

TAINTS: Mapping[Purpose, tuple[str, str] | None] = {
    "general": None,
    "spot": (PURPOSE, "spot"),
    "gpu": ("nvidia.com/gpu", "present"),
}
"""By what nodes are for: key and value of what keeps other pods off them."""


def of_cluster(cluster: AnyCluster) -> dict[str, Placement]:
    """What the pods of each pool of the cluster have."""
    if isinstance(cluster, LocalCluster):
        return {}
    if isinstance(cluster, CloudCluster):
        return {name: _made(name, pool) for name, pool in cluster.pools.items()}
    return {name: _given(name, pool) for name, pool in cluster.pools.items()}


def purpose(pool: NodePoolSettings) -> Any:
    return getattr(pool, "purpose", "general")


def labels(name: str, pool: NodePoolSettings) -> dict[str, str]:
    """Those that the nodes of a pool are made with."""
    return {POOL: name, PURPOSE: purpose(pool)}


def _made(name: str, pool: NodePoolSettings) -> Placement:
    taint = TAINTS[purpose(pool)]
    return _placement({POOL: name}, [{"key": taint[0], "value": taint[1], "effect": "NoSchedule"}] if taint else [])


def _given(name: str, pool: GivenPoolSettings) -> Placement:
    return _placement(pool.labels or {POOL: name}, [taint.model_dump() for taint in pool.taints])


def _placement(selector: Mapping[str, str], taints: list[dict[str, str]]) -> Placement:
    tolerations = [{"operator": "Equal", **taint} for taint in taints]
    return {"nodeSelector": dict(selector), **({"tolerations": tolerations} if tolerations else {})}
