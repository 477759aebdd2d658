"""What the cluster autoscaler may do, and what it is told: to scale the node groups of this cluster, and no others.

Managed node groups don't scale by themselves. It is this autoscaler and not EKS Auto Mode: Auto Mode makes nodes of its
own beside node groups, at a surcharge on each, by objects in the cluster that know neither a minimum nor one machine;
pools would mean something else here than on the other clouds. The autoscaler itself is components/autoscaler.py.
"""

from dataclasses import dataclass

import pulumi
from pulumi_aws import eks, iam

from ml_platform.clusters.cluster import AUTOSCALER, Autoscaler
from ml_platform.clusters.eks import roles
from ml_platform.component import Component

TAG = "k8s.io/cluster-autoscaler"
"""EKS puts <TAG>/enabled and <TAG>/<name of the cluster>=owned on what is behind each of its managed node groups."""
LOOK = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)
"""AWS knows no narrower right to these than all or none."""
SCALE = ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    cluster: eks.Cluster
    region: str


class Scaling(Component):
    token = "ml-platform:eks:Scaling"  # noqa: S105 - a type token

    autoscaler: Autoscaler
    ready: list[pulumi.Resource]
    """What it needs before it starts."""

    def __init__(self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        own = f"{name}-autoscaler"
        role, _ = roles.role(own, roles.PODS, [], self.child())
        policy = pulumi.Output.all(args.cluster.name, args.cluster.arn).apply(lambda known: _rights(*known))
        rights = iam.RolePolicy(own, role=role.name, policy=policy, opts=self.child())
        identity = eks.PodIdentityAssociation(
            own,
            cluster_name=args.cluster.name,
            namespace=AUTOSCALER,
            service_account=AUTOSCALER,
            role_arn=role.arn,
            opts=self.child(),
        )
        found = pulumi.Output.concat(f"--node-group-auto-discovery=asg:tag={TAG}/enabled,{TAG}/", args.cluster.name)
        # Pods can't ask their node in which region it is.
        self.autoscaler = Autoscaler(flags=["--cloud-provider=aws", found], environment={"AWS_REGION": args.region})
        self.ready = [rights, identity]
        self.register_outputs({})


def _rights(cluster: str, arn: str) -> str:
    groups = f"{arn.replace(':cluster/', ':nodegroup/', 1)}/*"
    return roles.document(
        {"Effect": "Allow", "Action": list(LOOK), "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["eks:DescribeNodegroup"], "Resource": [groups]},
        {
            "Effect": "Allow",
            "Action": list(SCALE),
            "Resource": ["*"],
            "Condition": {"StringEquals": {f"aws:ResourceTag/{TAG}/{cluster}": "owned"}},
        },
    )
