"""The check that Google Cloud offers what the settings ask for: the region, its zones, and the machines in them.

The version of Kubernetes goes unchecked: a release channel drops old versions while settings still name the one that
the cluster was made with. Quotas go unchecked too: few projects have enabled the API that reports them.
"""

from collections.abc import Iterator, Sequence

from pulumi_gcp import compute

from ml_platform.clusters.offers import Inquiry, differs, refuse
from ml_platform.settings import GkeCluster


def check(settings: GkeCluster, google: Inquiry) -> None:
    """Compares the settings with what Google Cloud answers.

    Raises:
        SettingsError: Google Cloud lacks what settings ask for; the message names each.
    """
    regions = google.ask("which regions it has", compute.get_regions)
    if regions and settings.region not in regions.names:
        refuse([differs("region", settings.region, regions.names, "Google Cloud has")])
    zones = google.ask("which zones it has", compute.get_zones, region=settings.region)
    if zones:
        refuse([*_zones(settings, zones.names), *_machines(settings, zones.names, google)])


def _zones(settings: GkeCluster, names: Sequence[str]) -> Iterator[str]:
    for index, zone in enumerate(settings.zones):
        if zone not in names:
            yield differs(f"zones[{index}]", zone, names, f"region {settings.region} has")


def _machines(settings: GkeCluster, names: Sequence[str], google: Inquiry) -> Iterator[str]:
    for name, pool in settings.pools.items():
        there = {zone for zone in names if _has(zone, pool.machine, google)}
        lacking = set(settings.zones) - there if settings.zones else not there
        if lacking:
            says = "Google Cloud does not have it in all zones of the nodes. It has it in"
            yield differs(f"pools.{name}.machine", pool.machine, there, says)


def _has(zone: str, machine: str, google: Inquiry) -> bool:
    wanted = f"name = {machine}"
    found = google.ask(f"which machines {zone} has", compute.get_machine_types, zone=zone, filter=wanted)
    return found is None or bool(found.machine_types)
