"""IAM roles that a service of AWS, or the pods of a service account, assume."""

import json
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_aws import eks, iam

from ml_platform import names

PODS = "pods.eks.amazonaws.com"
LONGEST = 56
"""The longest name of a role: IAM allows 64 characters, and Pulumi adds 8."""


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def name(*parts: str) -> str:
    """The name of a role from its parts, shortened to what IAM allows."""
    return names.shortened("-".join(parts), LONGEST)


def role(
    name: str, service: str, policies: Sequence[str], opts: pulumi.ResourceOptions
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """A role for `service` with AWS's own `policies`, and all resources that must exist before the role is used."""
    actions = ["sts:AssumeRole", "sts:TagSession"] if service == PODS else ["sts:AssumeRole"]
    trust = document({"Effect": "Allow", "Principal": {"Service": service}, "Action": actions})
    made = iam.Role(name, assume_role_policy=trust, opts=opts)
    attached = [
        iam.RolePolicyAttachment(
            f"{name}-{policy.rpartition('/')[2]}",
            role=made.name,
            policy_arn=f"arn:aws:iam::aws:policy/{policy}",
            opts=opts,
        )
        for policy in policies
    ]
    return made, [made, *attached]


def grant(
    name: str, cluster: eks.Cluster, account: tuple[str, str], policy: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Gives pods of the service account `account`, as (namespace, name), the rights of `policy` by a role of their own.

    Pods get a role only when they are created, so they wait for the resources that this returns.
    """
    made, _ = role(name, PODS, [], opts)
    namespace, service_account = account
    return [
        iam.RolePolicy(name, role=made.name, policy=policy, opts=opts),
        eks.PodIdentityAssociation(
            name,
            cluster_name=cluster.name,
            namespace=namespace,
            service_account=service_account,
            role_arn=made.arn,
            opts=opts,
        ),
    ]
