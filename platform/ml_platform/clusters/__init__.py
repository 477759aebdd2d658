"""The sources of Kubernetes: each has one module or package, whose `connect` returns a Cluster.

A Cluster is the same for every source, so the rest of the platform does not depend on the source.
"""

from ml_platform.clusters.cluster import Cluster
from ml_platform.configuration import SettingsError
from ml_platform.settings import (
    AnyCluster,
    EksCluster,
    ExistingCluster,
    GkeCluster,
    IonosCluster,
    LocalCluster,
    OwnershipSettings,
    StackCluster,
)

EXTRAS = {"pulumi_ionoscloud": "ionos", "pulumi_gcp": "gcp", "pulumi_aws": "aws"}


def connect(settings: AnyCluster, ownership: OwnershipSettings) -> Cluster:
    """The cluster that the settings choose. Only the module of the chosen source is imported.

    Raises:
        SettingsError: the Python package of the source is missing, or credentials, a command, a file or a secret; or
            the cloud does not offer what the settings ask for.
    """
    try:
        return _connect(settings, ownership)
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise SettingsError(
            f"ml-platform:cluster.source is {settings.source!r}, and the package {package} is not installed. Install "
            f"it with:\n  pip install -e '.[{EXTRAS[package]}]'"
        ) from missing


def _connect(settings: AnyCluster, ownership: OwnershipSettings) -> Cluster:
    match settings:
        case LocalCluster():
            from ml_platform.clusters import local

            return local.connect(settings)
        case ExistingCluster():
            from ml_platform.clusters import existing

            return existing.connect(settings)
        case StackCluster():
            from ml_platform.clusters import stack

            return stack.connect(settings)
        case IonosCluster():
            from ml_platform.clusters import ionos

            return ionos.connect(settings, ownership)
        case GkeCluster():
            from ml_platform.clusters import gke

            return gke.connect(settings, ownership)
        case EksCluster():
            from ml_platform.clusters import eks

            return eks.connect(settings, ownership)


__all__ = ["Cluster", "connect"]
