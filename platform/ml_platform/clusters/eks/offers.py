"""The check that AWS offers what the settings ask for: the version, the machines in the zones, and the quota for them.

releases.py checks the releases of add-ons and of node images.
"""

from collections.abc import Iterator, Mapping

from pulumi_aws import ec2, eks, servicequotas

from ml_platform.clusters.eks import releases
from ml_platform.clusters.offers import Inquiry, differs, refuse
from ml_platform.configuration import PROJECT
from ml_platform.settings import EksCluster
from ml_platform.settings.eks import EksPoolSettings

ON_DEMAND, SPOT = ("L-1216C47A", "on-demand standard instances"), ("L-34B43A08", "standard spot instances")
GRAPHICS, LEARNING = ("L-DB2E81BA", "on-demand G and VT instances"), ("L-417A185B", "on-demand P instances")


def check(settings: EksCluster, aws: Inquiry) -> None:
    """Compares the settings with what AWS answers.

    Raises:
        SettingsError: AWS lacks what settings ask for; the message names each.
    """
    refuse(
        [*_version(settings, aws), *_machines(settings, aws), *_quotas(settings, aws), *releases.check(settings, aws)]
    )


def _version(settings: EksCluster, aws: Inquiry) -> Iterator[str]:
    found = aws.ask("which versions of Kubernetes it has", eks.get_cluster_versions)
    versions = [each.cluster_version for each in found.cluster_versions] if found else []
    if versions and settings.version not in versions:
        yield differs("version", settings.version, versions, "EKS has")


def _machines(settings: EksCluster, aws: Inquiry) -> Iterator[str]:
    found = aws.ask(
        "where it has which machines",
        ec2.get_instance_type_offerings,
        location_type="availability-zone",
        filters=[ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=_machine_types(settings))],
    )
    offered = list(zip(found.instance_types, found.locations, strict=True)) if found else []
    for name, pool in settings.pools.items() if found else ():
        there = {zone for machine, zone in offered if machine == pool.machine}
        lacking = {f"{settings.region}{zone}" for zone in settings.zones} - there
        if lacking:
            says = f"AWS does not have it in {', '.join(sorted(lacking))}, of {PROJECT}:cluster.zones. It has it in"
            yield differs(f"pools.{name}.machine", pool.machine, there, says)


def _quotas(settings: EksCluster, aws: Inquiry) -> Iterator[str]:
    """A problem for each quota of vCPUs that the pools may exceed. AWS also counts other machines of the account, which
    this check does not know."""
    found = {
        kind: aws.ask(f"what a {kind} is", ec2.get_instance_type, instance_type=kind)
        for kind in _machine_types(settings)
    }
    sizes = {kind: size.default_vcpus if size else 0 for kind, size in found.items()}
    pools: dict[tuple[str, str], dict[str, EksPoolSettings]] = {}
    for name, pool in settings.pools.items():
        pools.setdefault(_quota(pool), {})[name] = pool
    for (code, words), counted in pools.items():
        quota = aws.ask(f"its quota of {words}", servicequotas.get_service_quota, service_code="ec2", quota_code=code)
        wanted = _maximum_vcpus(counted, sizes)
        if quota and wanted > quota.value:
            yield (
                f"{PROJECT}:cluster.pools may have {wanted} vCPUs in {', '.join(counted)}, and the account's quota of "
                f"{words} in {settings.region} is {quota.value:g}. Lower their maximum, or ask for more with:\n"
                f"  aws service-quotas request-service-quota-increase --region {settings.region} --service-code ec2 "
                f"--quota-code {code} --desired-value {wanted}"
            )


def _quota(pool: EksPoolSettings) -> tuple[str, str]:
    if pool.purpose == "gpu":
        return LEARNING if pool.machine.startswith("p") else GRAPHICS
    return SPOT if pool.purpose == "spot" else ON_DEMAND


def _maximum_vcpus(pools: Mapping[str, EksPoolSettings], sizes: Mapping[str, int]) -> int:
    return sum(pool.maximum * sizes[pool.machine] for pool in pools.values())


def _machine_types(settings: EksCluster) -> list[str]:
    return sorted({pool.machine for pool in settings.pools.values()})
