"""The placement of pods on node pools: the node selector and the tolerations for each pool.

All values are plain. The pools themselves are made in clusters/, or by others and described in the settings.
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
"""The taint of a pool's nodes, as key and value, by the pool's purpose; None is no taint."""


def of_cluster(cluster: AnyCluster) -> dict[str, Placement]:
    """The placement of pods on each pool of the cluster, by the pool's name."""
    if isinstance(cluster, LocalCluster):
        return {}
    if isinstance(cluster, CloudCluster):
        return {name: made(name, pool) for name, pool in cluster.pools.items()}
    return {name: _given(name, pool) for name, pool in cluster.pools.items()}


def purpose(pool: NodePoolSettings) -> Any:
    return getattr(pool, "purpose", "general")


def labels(name: str, pool: NodePoolSettings) -> dict[str, str]:
    """The labels of the nodes of a pool that the stack makes."""
    return {POOL: name, PURPOSE: purpose(pool)}


def made(name: str, pool: NodePoolSettings) -> Placement:
    """The placement of pods on a pool that the stack makes."""
    taint = TAINTS[purpose(pool)]
    return _placement({POOL: name}, [{"key": taint[0], "value": taint[1], "effect": "NoSchedule"}] if taint else [])


def _given(name: str, pool: GivenPoolSettings) -> Placement:
    return _placement(pool.labels or {POOL: name}, [taint.model_dump() for taint in pool.taints])


def _placement(selector: Mapping[str, str], taints: list[dict[str, str]]) -> Placement:
    tolerations = [{"operator": "Equal", **taint} for taint in taints]
    return {"nodeSelector": dict(selector), **({"tolerations": tolerations} if tolerations else {})}
