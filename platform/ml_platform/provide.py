"""The platform of a stack: made by this one, or another stack's."""

from ml_platform import shared
from ml_platform.clusters import Cluster
from ml_platform.handle import PlatformHandle
from ml_platform.platform import Platform, PlatformArgs
from ml_platform.settings import PlatformSettings, SharedPlatform
from ml_platform.tenancy import Tenancy


def provide(cluster: Cluster, settings: PlatformSettings | SharedPlatform, tenancy: Tenancy) -> PlatformHandle:
    """The platform on `cluster` that the settings choose, for the work of this stack.

    Raises:
        SettingsError: the cluster can't have it, or an image or a secret is missing.
    """
    if isinstance(settings, SharedPlatform):
        return shared.handle(cluster, settings, tenancy)
    return Platform("platform", PlatformArgs(cluster=cluster, settings=settings, tenancy=tenancy)).handle
