"""Knative Serving: revisions, their traffic and their scaling to zero and back.

This component owns the bundle, Knative's configuration and, with Istio, the bundle net-istio, which translates
Knative's routes. Traefik reads Knative's routes itself.
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
NODE_FEATURES = {"kubernetes.podspec-nodeselector": "enabled", "kubernetes.podspec-tolerations": "enabled"}

DRAINING = ("activator", "webhook")
"""The Deployments whose pods, as released, keep running for 45 s after they are told to terminate."""


class Knative(Foreign):
    token = "ml-platform:serving:Knative"  # noqa: S105 - a type token

    namespace: str

    def __init__(self, name: str, site: Site, mesh: Sequence[pulumi.Resource] = ()) -> None:
        """`mesh` is Istio, whose CRDs net-istio needs; it is empty with Traefik."""
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
        # Knative Services answer at <name>.<namespace>.<domain>.
        "config-domain": {gateway.domain: ""},
        "config-network": {
            "ingress-class": f"{gateway.ingress}.ingress.networking.knative.dev",
            "default-external-scheme": "https" if gateway.https else "http",
        },
        "config-autoscaler": {
            "stable-window": times.stable_window,
            "scale-to-zero-grace-period": times.scale_to_zero_grace_period,
        },
        # Pods get the defaults of the restricted pod security standard. Where there are node pools, revisions may have
        # a node selector and tolerations, which Knative refuses by default.
        "config-features": {"secure-pod-defaults": "enabled", **(NODE_FEATURES if site.pools else {})},
        # Metrics of requests are off by default.
        "config-observability": {"metrics-protocol": "prometheus", "request-metrics-protocol": "prometheus"},
        "config-deployment": SMALL_QUEUE if site.settings.size == "small" else {},
    }
    return [*(config_data(name, data) for name, data in settings.items()), *_short_grace_periods(site.releases)]


def _short_grace_periods(installation: Installation) -> list[Transform]:
    """Short grace periods on a disposable cluster, where removal waits for no open requests."""
    template = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 10}}}}
    return [] if installation.retain_definitions else [merged("Deployment", name, template) for name in DRAINING]


def _https() -> Transform:
    """The servers of Knative's own Gateway in Istio: HTTPS with the gateway's certificate, and a redirect to it."""
    plain = {"port": {"name": "http", "number": 80, "protocol": "HTTP"}, "tls": {"httpsRedirect": True}}
    secure = {
        "port": {"name": "https", "number": 443, "protocol": "HTTPS"},
        "tls": {"mode": "SIMPLE", "credentialName": SECRET},
    }
    servers = [{"hosts": ["*"], **server} for server in (plain, secure)]
    return merged("Gateway", "knative-ingress-gateway", {"spec": {"servers": servers}})
