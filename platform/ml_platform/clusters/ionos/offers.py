"""Whether the contract with IONOS allows what the settings ask for: cores and memory of all pools together.

Not the version, of which the SDK has no list; locations and families of processors are in the settings themselves.
"""

from collections.abc import Iterator

from pulumi_ionoscloud.get_contracts import get_contracts

from ml_platform.clusters.offers import Inquiry, refuse
from ml_platform.configuration import PROJECT
from ml_platform.settings import IonosCluster


def check(settings: IonosCluster, api: Inquiry) -> None:
    """Asks IONOS.

    Raises:
        SettingsError: naming what is not allowed.
    """
    found = api.ask("what the contract allows", get_contracts)
    contracts = found.contracts if found else []
    if len(contracts) == 1:  # of several, nobody knows here which one pays
        limits = contracts[0].resource_limits
        refuse(_beyond(settings, limits.cores_per_contract, limits.ram_per_contract // 1024))


def _beyond(settings: IonosCluster, cores: int, memory: int) -> Iterator[str]:
    """Of cores and GiB; other data centers of the contract are counted by IONOS, and not here."""
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
