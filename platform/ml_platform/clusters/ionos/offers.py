"""The check that the contract with IONOS allows the cores and the memory of all pools together.

The version of Kubernetes goes unchecked, since the SDK has no list of versions. The models of the settings list
locations and processor families.
"""

from collections.abc import Iterator

from pulumi_ionoscloud.get_contracts import get_contracts

from ml_platform.clusters.offers import Inquiry, refuse
from ml_platform.configuration import PROJECT
from ml_platform.settings import IonosCluster


def check(settings: IonosCluster, api: Inquiry) -> None:
    """Compares the settings with the limits of the contract.

    Raises:
        SettingsError: the pools may exceed the limits; the message names each.
    """
    found = api.ask("what the contract allows", get_contracts)
    contracts = found.contracts if found else []
    if len(contracts) == 1:  # of several contracts, it is unknown which one pays
        limits = contracts[0].resource_limits
        refuse(_above_limits(settings, limits.cores_per_contract, limits.ram_per_contract // 1024))


def _above_limits(settings: IonosCluster, cores: int, memory: int) -> Iterator[str]:
    """A problem for each limit, of cores and of GiB, that the pools may exceed. IONOS also counts other data centers of
    the contract, which this check does not know."""
    pools = settings.pools.values()
    for words, wanted, limit in (
        ("cores", sum(pool.maximum * pool.cores for pool in pools), cores),
        ("GiB of memory", sum(pool.maximum * pool.memory for pool in pools), memory),
    ):
        if wanted > limit:
            yield (
                f"{PROJECT}:cluster.pools may have {wanted} {words} together, and the contract allows {limit}. Lower "
                f"the maximum of pools, or have IONOS raise the limit: DCD, Management > Resource Overview"
            )
