"""The node pools of a cluster that somebody else has made."""

from __future__ import annotations

from typing import Any

from ml_platform import placement
from ml_platform.configuration import validate
from ml_platform.settings import ClusterSettings

TAINT = {"key": "acme.test/gpu", "value": "yes"}
POOLS: dict[str, Any] = {"plain": {}, "gpu": {"labels": {"acme.test/kind": "gpu"}, "taints": [TAINT]}}


def placed(cluster: dict[str, Any]) -> dict[str, Any]:
    return dict(placement.of_cluster(validate("cluster", cluster, ClusterSettings).root))


PLACED = placed({"source": "existing", "pools": POOLS})
