"""Knative Serving: revisions, their traffic and their scaling to zero and back.

It owns the bundle and Knative's own configuration. The network layer that serves its routes is the gateway's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.transforms import config_data
from ml_platform.component import Component

INGRESS_CLASS = "traefik.ingress.networking.knative.dev"


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """How quickly revisions shrink. Short windows suit one machine and its one user; a fleet wants Knative's 60 s."""

    stable_window: str = "60s"
    scale_to_zero_grace_period: str = "30s"


@dataclass(frozen=True, kw_only=True)
class KnativeArgs:
    installation: Installation
    domain: str
    """Services answer at <name>.<namespace>.<domain>."""
    ingress_class: str = INGRESS_CLASS
    autoscaling: Autoscaling = field(default_factory=Autoscaling)
    after: Sequence[pulumi.Resource] = ()


class Knative(Component):
    token = "ml-platform:serving:Knative"  # noqa: S105 - a type token

    namespace: str
    bundle: Bundle

    def __init__(self, name: str, args: KnativeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.bundle = Bundle(
            name,
            BundleArgs(
                installation=args.installation,
                bundle="knative-serving",
                transforms=[
                    config_data("config-domain", {args.domain: ""}),
                    config_data("config-network", {"ingress-class": args.ingress_class}),
                    config_data(
                        "config-autoscaler",
                        {
                            "stable-window": args.autoscaling.stable_window,
                            "scale-to-zero-grace-period": args.autoscaling.scale_to_zero_grace_period,
                        },
                    ),
                ],
                after=args.after,
            ),
            self.child(),
        )
        self.namespace = self.bundle.namespace
        self.register_outputs({"namespace": self.namespace})
