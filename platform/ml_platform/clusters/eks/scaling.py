"""The cluster autoscaler of EKS: its rights in AWS, limited to the node groups of this cluster, and its flags.

Managed node groups don't scale by themselves. EKS Auto Mode is the other choice: it adds nodes of its own beside node
groups, at a surcharge, by objects without a minimum and without one machine type, so that pools would differ from those
of the other clouds. The autoscaler's objects in the cluster are in autoscaler.py.
"""

from dataclasses import dataclass

import pulumi
from pulumi_aws import eks

from ml_platform.clusters.eks import roles
from ml_platform.component import Component
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.names import AUTOSCALER
from ml_platform.settings import EksCluster

TAG = "k8s.io/cluster-autoscaler"
"""The prefix of the tags by which the autoscaler finds its groups: EKS gives the Auto Scaling group of each managed
node group <TAG>/enabled and <TAG>/<name of the cluster>=owned."""
READ_ACTIONS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)
"""The actions that read; AWS can't limit these to single resources."""
SCALE_ACTIONS = ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")


UPSTREAM = "registry.k8s.io/autoscaling/cluster-autoscaler"


def require_image(settings: EksCluster) -> None:
    """Checks that the settings name the autoscaler's image where pools scale.

    Raises:
        SettingsError: they do not; the message says where its digest is found.
    """
    scaled = [name for name, pool in settings.pools.items() if pool.scales]
    if scaled and settings.autoscaler is None:
        path = f"{PROJECT}:cluster.autoscaler"
        raise SettingsError(
            f"{path} is missing: node groups of EKS don't scale by themselves, and the minimum of pool "
            f"{', '.join(scaled)} is below its maximum. The autoscaler's image is upstream's, of the cluster's own "
            f"minor version:\n  docker buildx imagetools inspect {UPSTREAM}:v{settings.version}.0 "
            f"--format '{{{{.Manifest.Digest}}}}'\n  pulumi config set --path '{path}' {UPSTREAM}@<that digest>\n"
            "or have each pool as many nodes at least as at most"
        )


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    cluster: eks.Cluster
    region: str


class Scaling(Component):
    token = "ml-platform:eks:Scaling"  # noqa: S105 - a type token

    flags: list[pulumi.Input[str]]
    """The flags of the autoscaler that name the cloud, and the node groups to scale."""
    environment: dict[str, str]
    """The environment variables of the autoscaler."""
    ready: list[pulumi.Resource]
    """The rights, which must exist before the autoscaler's pod."""

    def __init__(self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        own = f"{name}-autoscaler"
        policy = pulumi.Output.all(args.cluster.name, args.cluster.arn).apply(lambda known: _rights(*known))
        self.ready = roles.grant(own, args.cluster, (AUTOSCALER, AUTOSCALER), policy, self.child())
        found = pulumi.Output.concat(f"--node-group-auto-discovery=asg:tag={TAG}/enabled,{TAG}/", args.cluster.name)
        # Pods can't read the region from the instance metadata, so it is an environment variable.
        self.flags, self.environment = ["--cloud-provider=aws", found], {"AWS_REGION": args.region}
        self.register_outputs({})


def _rights(cluster: str, arn: str) -> str:
    groups = f"{arn.replace(':cluster/', ':nodegroup/', 1)}/*"
    return roles.document(
        {"Effect": "Allow", "Action": list(READ_ACTIONS), "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["eks:DescribeNodegroup"], "Resource": [groups]},
        {
            "Effect": "Allow",
            "Action": list(SCALE_ACTIONS),
            "Resource": ["*"],
            "Condition": {"StringEquals": {f"aws:ResourceTag/{TAG}/{cluster}": "owned"}},
        },
    )
