"""Where Kubernetes comes from: one file a source, each ending in the same Cluster.

Nothing beyond this package knows which source it was.
"""

import pulumi

from ml_platform.clusters.cluster import Cluster
from ml_platform.settings import ExistingCluster, LocalCluster


def connect(settings: LocalCluster | ExistingCluster, config: pulumi.Config) -> Cluster:
    """The cluster that the settings choose; the module of the chosen source is the only one that is loaded."""
    match settings:
        case LocalCluster():
            from ml_platform.clusters import local

            return local.connect(settings)
        case ExistingCluster():
            from ml_platform.clusters import existing

            return existing.connect(settings, config)


__all__ = ["Cluster", "connect"]
