"""Knative Serving: revisions, their traffic and their scaling to zero and back.

It owns the bundle, Knative's own configuration and, behind Istio, the bundle that translates its routes. Behind Traefik
the gateway itself does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.transforms import Transform, config_data, merged
from ml_platform.components.certificate import SECRET
from ml_platform.components.foreign import Foreign

NAMESPACE = "knative-serving"
SMALL_QUEUE = {
    "queue-sidecar-cpu-request": "10m",
    "queue-sidecar-cpu-limit": "1",
    "queue-sidecar-memory-request": "24Mi",
    "queue-sidecar-memory-limit": "128Mi",
}
PLACED = {"kubernetes.podspec-nodeselector": "enabled", "kubernetes.podspec-tolerations": "enabled"}

DRAINING = ("activator", "webhook")
"""As released, they go on for 45 s after they were told to end."""


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
    ingress: str = "traefik"
    """What serves its routes: traefik or istio."""
    scheme: str = "http"
    """Of the gateway: of the URLs that its routes say they have."""
    autoscaling: Autoscaling = field(default_factory=Autoscaling)
    placed: bool = False
    """Whether revisions may choose among nodes, which Knative keeps to itself as released."""
    after: Sequence[pulumi.Resource] = ()
    """What serves its routes, where that has kinds of its own."""


class Knative(Foreign):
    token = "ml-platform:serving:Knative"  # noqa: S105 - a type token

    namespace: str

    def __init__(self, name: str, args: KnativeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.namespace = NAMESPACE
        self.install(
            name,
            BundleArgs(installation=args.installation, bundle="knative-serving", transforms=_configuration(args)),
        )
        if args.ingress == "istio":
            self.install(
                "net-istio",
                BundleArgs(
                    installation=args.installation,
                    bundle="net-istio",
                    transforms=[_https()] if args.scheme == "https" else [],
                    after=[*self.ready, *args.after],
                ),
            )
        self.register_outputs({"namespace": self.namespace})


def _configuration(args: KnativeArgs) -> list[Transform]:
    times = args.autoscaling
    settings = {
        "config-domain": {args.domain: ""},
        "config-network": {
            "ingress-class": f"{args.ingress}.ingress.networking.knative.dev",
            "default-external-scheme": args.scheme,
        },
        "config-autoscaler": {
            "stable-window": times.stable_window,
            "scale-to-zero-grace-period": times.scale_to_zero_grace_period,
        },
        # What the restricted pod security standard asks for, where a workload says nothing.
        "config-features": {"secure-pod-defaults": "enabled", **(PLACED if args.placed else {})},
        # The counters of each request; they are off by default.
        "config-observability": {"metrics-protocol": "prometheus", "request-metrics-protocol": "prometheus"},
        "config-deployment": SMALL_QUEUE if args.installation.size == "small" else {},
    }
    return [*(config_data(name, data) for name, data in settings.items()), *_ending(args.installation)]


def _ending(installation: Installation) -> list[Transform]:
    """Where everything goes with the stack, nobody's requests are waited for."""
    quick = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 10}}}}
    return [] if installation.retain_definitions else [merged("Deployment", name, quick) for name in DRAINING]


def _https() -> Transform:
    """Knative's own entry in Istio answers HTTPS as well, and redirects to it."""
    plain = {"port": {"name": "http", "number": 80, "protocol": "HTTP"}, "tls": {"httpsRedirect": True}}
    secure = {
        "port": {"name": "https", "number": 443, "protocol": "HTTPS"},
        "tls": {"mode": "SIMPLE", "credentialName": SECRET},
    }
    servers = [{"hosts": ["*"], **server} for server in (plain, secure)]
    return merged("Gateway", "knative-ingress-gateway", {"spec": {"servers": servers}})
