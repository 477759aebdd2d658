"""All settings of a stack: four blocks, each valid by itself, and fitting together.

It owns what one block has to know of another before anything is declared.
"""

from dataclasses import dataclass
from functools import cached_property

from ml_platform import agreement, placement, settings
from ml_platform.needs import Needs
from ml_platform.settings import AnyCluster, OwnershipSettings, PlatformSettings, SharedPlatform
from ml_platform.tenancy import Tenancy

from ml_workloads import capabilities, packages
from ml_workloads.settings import WorkloadsSettings, load_workloads


@dataclass(frozen=True)
class StackSettings:
    """Plain values: all that decides what exists."""

    cluster: AnyCluster
    ownership: OwnershipSettings
    platform: PlatformSettings | SharedPlatform | None
    """None where the stack makes a cluster and nothing on it: its settings have no block ml-platform:platform."""
    work: WorkloadsSettings

    @classmethod
    def load(cls) -> "StackSettings":
        """Those of the stack that runs.

        Raises:
            SettingsError: naming each value that breaks a rule, or that does not go with another.
        """
        config = settings.begin()
        found = cls(
            cluster=settings.load_cluster(config),
            ownership=settings.load_ownership(config),
            platform=settings.load_platform(config),
            work=load_workloads(config),
        )
        capabilities.check_blocks(found.cluster, found.platform, found.work)
        if found.platform:
            capabilities.check(found.work, found.platform, pools=found.tenancy.pools)
        if isinstance(found.platform, PlatformSettings):
            agreement.check(found.cluster, found.platform, found.work.accounts)
        return found

    @cached_property
    def tenancy(self) -> Tenancy:
        """What the work asks of the platform."""
        return Tenancy(
            ownership=self.ownership.labels,
            needs=self.work.needs(capabilities.spark_operator(self.platform))
            + Needs(images=tuple(sorted(packages.layers(self.work)))),
            accounts=self.work.accounts,
            pools=placement.of_cluster(self.cluster),
        )
