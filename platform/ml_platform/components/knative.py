"""Knative Serving: revisions, their traffic and their scaling to zero and back.

It owns the bundle, Knative's own configuration and, behind Istio, the bundle that translates its routes. Behind Traefik
the gateway itself does.
"""

from collections.abc import Sequence

import pulumi

from ml_platform.bundles.installation import Installation
from ml_platform.bundles.transforms import Transform, config_data, merged
from ml_platform.components.certificate import SECRET
from ml_platform.components.foreign import Foreign
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE = SERVING = "knative-serving"
SMALL_QUEUE = {
    "queue-sidecar-cpu-request": "10m",
    "queue-sidecar-cpu-limit": "1",
    "queue-sidecar-memory-request": "24Mi",
    "queue-sidecar-memory-limit": "128Mi",
}
PLACED = {"kubernetes.podspec-nodeselector": "enabled", "kubernetes.podspec-tolerations": "enabled"}

DRAINING = ("activator", "webhook")
"""As released, they go on for 45 s after they were told to end."""


class Knative(Foreign):
    token = "ml-platform:serving:Knative"  # noqa: S105 - a type token

    namespace: str

    def __init__(self, name: str, site: Site, mesh: Sequence[pulumi.Resource] = ()) -> None:
        """`mesh` is Istio, where that serves its routes: it has kinds of its own."""
        super().__init__(name, site)
        self.namespace = NAMESPACE
        self.install(SERVING, name=name, transforms=_configuration(site))
        if site.settings.gateway.ingress == "istio":
            https = [_https()] if site.settings.gateway.https else []
            self.install("net-istio", transforms=https, after=[*self.ready, *mesh])
        self.register_outputs({"namespace": self.namespace})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.serving.mode == "knative"

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=(SERVING, *(("net-istio",) if settings.gateway.ingress == "istio" else ())))


def _configuration(site: Site) -> list[Transform]:
    gateway, times = site.settings.gateway, site.settings.serving.autoscaling
    settings = {
        # Services answer at <name>.<namespace>.<domain>.
        "config-domain": {gateway.domain: ""},
        "config-network": {
            "ingress-class": f"{gateway.ingress}.ingress.networking.knative.dev",
            "default-external-scheme": "https" if gateway.https else "http",
        },
        "config-autoscaler": {
            "stable-window": times.stable_window,
            "scale-to-zero-grace-period": times.scale_to_zero_grace_period,
        },
        # What the restricted pod security standard asks for, where a workload says nothing. Revisions may choose among
        # nodes, which Knative keeps to itself as released, where there are pools.
        "config-features": {"secure-pod-defaults": "enabled", **(PLACED if site.pools else {})},
        # The counters of each request; they are off by default.
        "config-observability": {"metrics-protocol": "prometheus", "request-metrics-protocol": "prometheus"},
        "config-deployment": SMALL_QUEUE if site.settings.size == "small" else {},
    }
    return [*(config_data(name, data) for name, data in settings.items()), *_ending(site.releases)]


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
