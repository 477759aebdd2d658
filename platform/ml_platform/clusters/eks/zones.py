"""The right of cert-manager to edit hosted zones of Route 53, by which it proves the domain to an authority."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import eks

from ml_platform.clusters.eks import roles
from ml_platform.component import Component

CERT_MANAGER = "cert-manager"
"""The namespace and the service account of cert-manager's bundle."""
ARN = "arn:aws:route53:::"


@dataclass(frozen=True, kw_only=True)
class ZonesArgs:
    cluster: eks.Cluster
    zones: Sequence[str]
    """The ids of the hosted zones."""


class Zones(Component):
    token = "ml-platform:eks:Zones"  # noqa: S105 - a type token

    ready: list[pulumi.Resource]
    """The rights, which must exist before cert-manager's pods."""

    def __init__(self, name: str, args: ZonesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        policy = roles.document(*_rights([f"{ARN}hostedzone/{zone}" for zone in args.zones]))
        self.ready = roles.grant(f"{name}-zones", args.cluster, (CERT_MANAGER, CERT_MANAGER), policy, self.child())
        self.register_outputs({})


def _rights(zones: list[str]) -> list[dict[str, Any]]:
    """The rights to find the zone, to write TXT records in it, and to wait until DNS servers have them."""
    proofs = {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]}}
    return [
        {"Effect": "Allow", "Action": ["route53:ListHostedZonesByName"], "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["route53:ListResourceRecordSets"], "Resource": zones},
        {
            "Effect": "Allow",
            "Action": ["route53:ChangeResourceRecordSets"],
            "Resource": zones,
            "Condition": proofs,
        },
        {"Effect": "Allow", "Action": ["route53:GetChange"], "Resource": [f"{ARN}change/*"]},
    ]
