"""The releases of add-ons and of node images that the settings name, compared with those that EKS would choose today.

Only a change of the settings installs a patch, so that no other `pulumi up` updates an add-on or replaces nodes. The
answers of EKS are never declared; they serve messages about releases that are missing, wrong or outdated.
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
"""The SSM parameter in which AWS publishes the newest release of a node image, with a place for Kubernetes' version."""
DEFAULT = "addons[0].addonVersions[?compatibilities[0].defaultVersion].addonVersion"


@dataclass(frozen=True, kw_only=True)
class _Release:
    key: str
    """The key of the setting, below ml-platform:cluster."""
    given: str | None
    """The release in the settings."""
    offered: str | None
    """The release that AWS offers; None where AWS does not answer."""
    shown_by: str
    """The command that prints what AWS offers."""
    starts: str = ""
    """The beginning of every release for the cluster's version of Kubernetes."""

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
    """The operating system of a pool's nodes; Bottlerocket has NVIDIA's driver and the device plugin for GPUs."""
    return "bottlerocket" if purpose == "gpu" else "al2023"


def check(settings: EksCluster, aws: Inquiry) -> Iterator[str]:
    """A problem if releases are missing or are for another version of Kubernetes. Outdated ones are only logged."""
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
    """The release as a list of numbers for comparison; it may look like v1.21.1-eksbuild.2 or 1.35.1-20261101."""
    return [int(part) for part in re.split(r"[^0-9a-z]+", release.removeprefix("v")) if part.isdigit()]
