"""The platform that a stack uses: one that it makes itself, or that of another stack."""

from ml_platform import agreement, shared
from ml_platform.clusters import Cluster
from ml_platform.handle import PlatformHandle
from ml_platform.platform import Platform, PlatformArgs
from ml_platform.settings import PlatformSettings, SharedPlatform
from ml_platform.tenancy import Tenancy


def provide(cluster: Cluster, settings: PlatformSettings | SharedPlatform, tenancy: Tenancy) -> PlatformHandle:
    """The platform on `cluster` that the settings choose, for the work of this stack.

    Raises:
        SettingsError: the platform can't work on the cluster, or an image or a secret is missing.
    """
    if isinstance(settings, SharedPlatform):
        return shared.handle(cluster, settings, tenancy)
    fitting = agreement.agreed(cluster, settings, tenancy)
    return Platform("platform", PlatformArgs(cluster=fitting, settings=settings, tenancy=tenancy)).handle
