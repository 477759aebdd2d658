"""The flags of the cluster autoscaler and its rights in AWS, which are limited to the node groups of this cluster.

Managed node groups don't scale by themselves. EKS Auto Mode is the other choice: it adds nodes of its own beside node
groups, at a surcharge, by objects without a minimum and without one machine type, so that pools would differ from those
of the other clouds. components/autoscaler.py runs the autoscaler itself.
"""

from dataclasses import dataclass

import pulumi
from pulumi_aws import eks

from ml_platform.clusters.cluster import AUTOSCALER, Autoscaler
from ml_platform.clusters.eks import roles
from ml_platform.component import Component

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


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    cluster: eks.Cluster
    region: str


class Scaling(Component):
    token = "ml-platform:eks:Scaling"  # noqa: S105 - a type token

    autoscaler: Autoscaler
    ready: list[pulumi.Resource]
    """The rights, which must exist before the autoscaler's pod."""

    def __init__(self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        policy = pulumi.Output.all(args.cluster.name, args.cluster.arn).apply(lambda known: _rights(*known))
        self.ready = roles.grant(f"{name}-autoscaler", args.cluster, (AUTOSCALER, AUTOSCALER), policy, self.child())
        found = pulumi.Output.concat(f"--node-group-auto-discovery=asg:tag={TAG}/enabled,{TAG}/", args.cluster.name)
        # Pods can't read the region from the instance metadata, so it is an environment variable.
        self.autoscaler = Autoscaler(flags=["--cloud-provider=aws", found], environment={"AWS_REGION": args.region})
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
