"""Which releases of add-ons and of node images the settings name, and which EKS would choose today.

Patches come by a change of the settings: a `pulumi up` that nobody meant to patch by changes no add-on and makes no
node anew. So no answer of EKS is declared; answers name what is missing, what does not fit, and what is newer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import pulumi
from pulumi_aws import eks, ssm

from ml_platform.clusters.offers import Inquiry
from ml_platform.configuration import PROJECT
from ml_platform.settings import EksCluster
from ml_platform.settings.eks import Addon, System

PARAMETERS: dict[System, str] = {
    "al2023": "/aws/service/eks/optimized-ami/{}/amazon-linux-2023/x86_64/standard/recommended/release_version",
    "bottlerocket": "/aws/service/bottlerocket/aws-k8s-{}-nvidia/x86_64/latest/image_version",
}
"""Where AWS publishes the release of a node image for a version of Kubernetes."""
DEFAULT = "addons[0].addonVersions[?compatibilities[0].defaultVersion].addonVersion"


@dataclass(frozen=True, kw_only=True)
class _Release:
    key: str
    """The setting."""
    given: str | None
    offered: str | None
    """None where AWS does not answer."""
    shown_by: str
    """The command that prints what AWS offers."""
    starts: str = ""
    """How one for the cluster's version of Kubernetes begins."""

    @property
    def fits(self) -> bool:
        return self.given is not None and self.given.startswith(self.starts)

    @property
    def outdated(self) -> bool:
        return bool(self.given and self.offered and _numbers(self.given) < _numbers(self.offered))

    @property
    def command(self) -> str:
        value = self.offered or f'"$({self.shown_by})"'
        return f"  pulumi config set --path '{PROJECT}:cluster.{self.key}' {value}"


def system(purpose: str) -> System:
    """What the nodes of a pool start with; Bottlerocket has NVIDIA's driver and the device plugin for GPUs."""
    return "bottlerocket" if purpose == "gpu" else "al2023"


def check(settings: EksCluster, aws: Inquiry) -> Iterator[str]:
    """What is missing or is not for the cluster's version of Kubernetes; what is outdated is told, and no more."""
    found = [*_addons(settings, aws), *_images(settings, aws)]
    if outdated := [each for each in found if each.fits and each.outdated]:
        said = "EKS has newer releases than the settings name. Each is installed by a change of its setting:"
        pulumi.log.info("\n".join([said, *(each.command for each in outdated)]))
    if lacking := [each for each in found if not each.fits]:
        yield _refusal(settings, lacking)


def _refusal(settings: EksCluster, lacking: Sequence[_Release]) -> str:
    says = ", ".join(f"{each.key} is {each.given or 'missing'}" for each in lacking)
    return (
        f"{PROJECT}:cluster names the release of each add-on and node image, for Kubernetes {settings.version}, since "
        f"they change by these settings alone; {says}. What EKS chooses itself today is set with:\n"
        + "\n".join(each.command for each in lacking)
    )


def _addons(settings: EksCluster, aws: Inquiry) -> Iterator[_Release]:
    version = settings.version
    for addon in get_args(Addon):
        about = {"addon_name": addon, "kubernetes_version": version}
        found = aws.ask(f"which release of {addon} it chooses", eks.get_addon_version, **about)
        yield _Release(
            key=f"addons.{addon}",
            given=settings.addons.get(addon),
            offered=found.version if found else None,
            shown_by=f"aws eks describe-addon-versions --region {settings.region} --addon-name {addon} "
            f"--kubernetes-version {version} --query '{DEFAULT}' --output text",
            starts=f"v{version}." if addon == "kube-proxy" else "",
        )


def _images(settings: EksCluster, aws: Inquiry) -> Iterator[_Release]:
    for name in sorted({system(pool.purpose) for pool in settings.pools.values()}):
        parameter = PARAMETERS[name].format(settings.version)
        found = aws.ask(f"which release of {name} it chooses", ssm.get_parameter, name=parameter)
        yield _Release(
            key=f"node_releases.{name}",
            given=settings.node_releases.get(name),
            offered=found.insecure_value if found else None,
            shown_by=f"aws ssm get-parameter --region {settings.region} --name {parameter} --query Parameter.Value "
            "--output text",
            starts=f"{settings.version}." if name == "al2023" else "",
        )


def _numbers(release: str) -> list[int]:
    """v1.21.1-eksbuild.2 and 1.35.1-20261101 as numbers that can be compared."""
    return [int(part) for part in re.split(r"[^0-9a-z]+", release.removeprefix("v")) if part.isdigit()]
