"""All settings of a stack: four blocks, each valid by itself, and fitting together.

It owns what one block has to know of another before anything is declared.
"""

from dataclasses import dataclass
from functools import cached_property

from ml_platform import placement, settings, store, zones
from ml_platform.settings import AnyCluster, OwnershipSettings, PlatformSettings, SharedPlatform
from ml_platform.store import Account
from ml_platform.tenancy import Tenancy

from ml_workloads import fit
from ml_workloads.settings import WorkloadsSettings, load_workloads


@dataclass(frozen=True)
class StackSettings:
    """Plain values: all that decides what exists."""

    cluster: AnyCluster
    ownership: OwnershipSettings
    platform: PlatformSettings | SharedPlatform
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
        fit.check(found.work, found.platform, pools=found.tenancy.pools)
        zones.check(found.cluster, found.platform)
        return found

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """Who uses the buckets that the cluster makes."""
        return dict(store.of_cluster(self.cluster, self.platform, self.work.accounts))

    @cached_property
    def tenancy(self) -> Tenancy:
        """What the work asks of the platform."""
        return Tenancy(
            ownership=self.ownership.labels,
            needs=self.work.needs(fit.spark_operator(self.platform)),
            accounts=self.work.accounts,
            pools=placement.of_cluster(self.cluster),
        )
