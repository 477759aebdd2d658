"""The nodes of the cluster, a managed node group for each pool, and the add-ons that nodes need.

autoscaler.py scales the pools.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ec2, eks

from ml_platform import placement
from ml_platform.clusters.eks import releases, roles
from ml_platform.clusters.eks.network import Network
from ml_platform.component import Component
from ml_platform.settings import EksCluster
from ml_platform.settings.eks import Addon, EksPoolSettings, System

TIMEOUTS = pulumi.CustomTimeouts(create="1h", update="2h", delete="1h")
POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")
ADDONS_BEFORE_NODES: Mapping[Addon, Mapping[str, Any]] = {
    "vpc-cni": {"enableNetworkPolicy": "true"},  # without it, nothing enforces NetworkPolicies
    "kube-proxy": {},
    "eks-pod-identity-agent": {},
}
DISKS: Addon = "aws-ebs-csi-driver"
STORAGE_CLASS = "ebs-csi-default-sc"
"""The storage class that the add-on for disks makes."""
ACCELERATOR = "k8s.amazonaws.com/accelerator"
"""The label of nodes with GPUs: the autoscaler waits for the GPUs of a new node that has it, in place of adding another
node."""
TAGGED = ("instance", "volume", "network-interface")
"""The resources that EC2 makes from a launch template, which get the stack's tags."""
ROOT = "/dev/xvda"


@dataclass(frozen=True, kw_only=True)
class _System:
    """The operating system of nodes."""

    image: str
    """The type of the node image (AMI), as EKS names it."""
    disk: str
    """The device of the disk for container images and pods, whose size the pool sets; it may be the root device."""


SYSTEMS: Mapping[System, _System] = {
    "al2023": _System(image="AL2023_x86_64_STANDARD", disk=ROOT),
    "bottlerocket": _System(image="BOTTLEROCKET_x86_64_NVIDIA", disk="/dev/xvdb"),
}


@dataclass(frozen=True, kw_only=True)
class NodesArgs:
    settings: EksCluster
    cluster: eks.Cluster
    network: Network
    tags: Mapping[str, str]
    """The tags of resources that AWS makes: instances by their launch template, volumes by the add-on."""


class Nodes(Component):
    token = "ml-platform:eks:Nodes"  # noqa: S105 - a type token

    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: NodesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._role, attached = roles.role(f"{name}-nodes", "ec2.amazonaws.com", POLICIES, self.child())
        network = [self._addon(addon, values) for addon, values in ADDONS_BEFORE_NODES.items()]
        before = [*attached, *network, *args.network.ready]
        groups = [self._group(pool, each, before) for pool, each in args.settings.pools.items()]
        self.ready = [*groups, self._addon("coredns", {}, after=groups), self._disk_addon(groups)]
        self.register_outputs({"pools": list(args.settings.pools)})

    def _addon(self, addon: Addon, values: Mapping[str, Any], *, after: Sequence[pulumi.Resource] = ()) -> eks.Addon:
        return eks.Addon(
            f"{self._name}-{addon}",
            cluster_name=self._args.cluster.name,
            addon_name=addon,
            addon_version=self._args.settings.addons[addon],
            configuration_values=json.dumps(values) if values else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=self.child(depends_on=list(after)),
        )

    def _disk_addon(self, after: Sequence[pulumi.Resource]) -> eks.Addon:
        """The add-on for EBS volumes, with an IAM role that only its own pods have."""
        name = f"{self._name}-disks"
        role, attached = roles.role(name, roles.PODS, ["service-role/AmazonEBSCSIDriverPolicy"], self.child())
        values = {
            "defaultStorageClass": {"enabled": True},
            "controller": {"extraVolumeTags": dict(self._args.tags)},
        }
        return eks.Addon(
            name,
            cluster_name=self._args.cluster.name,
            addon_name=DISKS,
            addon_version=self._args.settings.addons[DISKS],
            configuration_values=json.dumps(values),
            pod_identity_associations=[{"service_account": "ebs-csi-controller-sa", "role_arn": role.arn}],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=self.child(depends_on=[*after, *attached]),
        )

    def _group(self, pool: str, settings: EksPoolSettings, before: Sequence[pulumi.Resource]) -> eks.NodeGroup:
        name = f"{self._name}-{pool}"
        gpus, chosen = settings.purpose == "gpu", releases.system(settings.purpose)
        system = SYSTEMS[chosen]
        template = self._template(name, settings.disk, system)
        return eks.NodeGroup(
            name,
            node_group_name_prefix=f"{name}-",
            cluster_name=self._args.cluster.name,
            node_role_arn=self._role.arn,
            subnet_ids=[subnet.id for subnet in self._args.network.private],
            version=self._args.settings.version,
            release_version=self._args.settings.node_releases[chosen],
            ami_type=system.image,
            capacity_type="SPOT" if settings.purpose == "spot" else "ON_DEMAND",
            instance_types=[settings.machine],
            scaling_config={
                "desired_size": settings.minimum,
                "min_size": settings.minimum,
                "max_size": settings.maximum,
            },
            labels={**placement.labels(pool, settings), **({ACCELERATOR: settings.machine} if gpus else {})},
            taints=_taints(settings),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            update_config={"max_unavailable_percentage": 33},
            node_repair_config={"enabled": True},
            opts=self.child(
                custom_timeouts=TIMEOUTS,
                depends_on=list(before),
                ignore_changes=["scalingConfig.desiredSize"] if settings.scales else [],
            ),
        )

    def _template(self, name: str, size: int, system: _System) -> ec2.LaunchTemplate:
        disks = {ROOT: None, system.disk: size}
        return ec2.LaunchTemplate(
            name,
            block_device_mappings=[_disk(device, of) for device, of in disks.items()],
            # With a limit of one hop, pods can't reach the instance metadata with the role of their node.
            metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
                http_tokens="required", http_put_response_hop_limit=1
            ),
            # EKS does not pass tags of a node group on to its instances.
            tag_specifications=[
                ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags={"Name": name, **self._args.tags})
                for kind in TAGGED
            ],
            update_default_version=True,
            opts=self.child(),
        )


def _disk(device: str, size: int | None) -> ec2.LaunchTemplateBlockDeviceMappingArgs:
    """An encrypted disk; without a size, it has the size in the image."""
    ebs = ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
        volume_size=size, volume_type="gp3", encrypted="true", delete_on_termination="true"
    )
    return ec2.LaunchTemplateBlockDeviceMappingArgs(device_name=device, ebs=ebs)


def _taints(settings: EksPoolSettings) -> list[eks.NodeGroupTaintArgs] | None:
    taint = placement.TAINTS[settings.purpose]
    return [eks.NodeGroupTaintArgs(key=taint[0], value=taint[1], effect="NO_SCHEDULE")] if taint else None
