"""Whether Google Cloud has what the settings ask for: this region, these zones, these machines in them.

Not the version: a release channel drops the one that a cluster began with while its settings still name it.
"""

from collections.abc import Iterator, Sequence

import pulumi
from pulumi_gcp import compute

from ml_platform.clusters.offers import ask, differs, refuse
from ml_platform.settings import GkeCluster

GOOGLE = "Google Cloud"


def check(settings: GkeCluster, provider: pulumi.ProviderResource) -> None:
    """Asks Google Cloud.

    Raises:
        SettingsError: naming each setting that can't be.
    """
    opts = pulumi.InvokeOptions(provider=provider)
    regions = ask(GOOGLE, "which regions it has", lambda: compute.get_regions(opts=opts))
    if regions and settings.region not in regions.names:
        refuse([differs("region", settings.region, regions.names, "Google Cloud has")])
    zones = ask(GOOGLE, "which zones it has", lambda: compute.get_zones(region=settings.region, opts=opts))
    if zones:
        refuse([*_zones(settings, zones.names), *_machines(settings, zones.names, opts)])


def _zones(settings: GkeCluster, names: Sequence[str]) -> Iterator[str]:
    for index, zone in enumerate(settings.zones):
        if zone not in names:
            yield differs(f"zones[{index}]", zone, names, f"region {settings.region} has")


def _machines(settings: GkeCluster, names: Sequence[str], opts: pulumi.InvokeOptions) -> Iterator[str]:
    for name, pool in settings.pools.items():
        there = {zone for zone in names if _has(zone, pool.machine, opts)}
        lacking = set(settings.zones) - there if settings.zones else not there
        if lacking:
            says = "Google Cloud does not have it in all zones of the nodes. It has it in"
            yield differs(f"pools.{name}.machine", pool.machine, there, says)


def _has(zone: str, machine: str, opts: pulumi.InvokeOptions) -> bool:
    wanted = f"name = {machine}"
    found = ask(
        GOOGLE, f"which machines {zone} has", lambda: compute.get_machine_types(zone=zone, filter=wanted, opts=opts)
    )
    return found is None or bool(found.machine_types)
