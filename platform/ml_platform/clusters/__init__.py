"""Where Kubernetes comes from: one file a source, each ending in the same Cluster.

Nothing beyond this package knows which source it was.
"""

from collections.abc import Mapping

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
from ml_platform.store import Account

EXTRAS = {"pulumi_ionoscloud": "ionos", "pulumi_gcp": "gcp", "pulumi_aws": "aws"}


def connect(
    settings: AnyCluster, ownership: OwnershipSettings, accounts: Mapping[str, Account] | None = None
) -> Cluster:
    """The cluster that the settings choose, its buckets open for `accounts`; of all sources, only the module of the
    chosen one is loaded.

    Raises:
        SettingsError: what its source needs is missing.
    """
    try:
        return _connect(settings, ownership, accounts or {})
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise SettingsError(
            f"ml-platform:cluster.source is {settings.source!r}, and the package {package} is not installed. Install "
            f"it with:\n  pip install -e '.[{EXTRAS[package]}]'"
        ) from missing


def _connect(settings: AnyCluster, ownership: OwnershipSettings, accounts: Mapping[str, Account]) -> Cluster:
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

            return ionos.connect(settings, ownership, accounts)
        case GkeCluster():
            from ml_platform.clusters import gke

            return gke.connect(settings, ownership, accounts)
        case EksCluster():
            from ml_platform.clusters import eks

            return eks.connect(settings, ownership, accounts)


__all__ = ["Cluster", "connect"]
