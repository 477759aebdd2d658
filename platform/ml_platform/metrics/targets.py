"""The pods that say how they are: one list, from which every server of metrics gets its own configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_platform.components.gateway import NAMESPACE as GATEWAY
from ml_platform.components.istio import NAMESPACE as ISTIO
from ml_platform.components.istio import PODS as GATEWAY_PODS
from ml_platform.components.knative import NAMESPACE as KNATIVE
from ml_platform.components.traefik_flags import PING
from ml_platform.labels import SERVICE
from ml_platform.settings.platform import PlatformSettings

MODEL_SERVER, QUEUE = 8082, 9091
"""The ports of the metrics of MLServer, and of the requests that Knative's queue in front of it has seen."""
LABELS = {
    name: f"__meta_kubernetes_pod_label_{re.sub('[^A-Za-z0-9]', '_', label)}"
    for name, label in {"app": "app", "service": SERVICE}.items()
}
"""Labels of every series beside `namespace` and `pod`, each by the label of the pod as Prometheus finds it."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Pods with metrics on one port."""

    job: str
    """The name of the series' label `job`."""
    namespace: str | None = None
    """None is every namespace."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The labels that the pods have."""
    having: str | None = None
    """A label that they have, whatever its value."""
    port: int
    path: str = "/metrics"

    @property
    def selector(self) -> str:
        """The pods, as the Kubernetes API selects them."""
        parts = [f"{name}={value}" for name, value in self.labels.items()]
        return ",".join([*parts, *([self.having] if self.having else [])])

    @property
    def match(self) -> dict[str, Any]:
        """The pods, as objects of Kubernetes select them."""
        exists = [{"key": self.having, "operator": "Exists"}] if self.having else []
        return {
            **({"matchLabels": dict(self.labels)} if self.labels else {}),
            **({"matchExpressions": exists} if exists else {}),
        }


def targets(settings: PlatformSettings) -> list[Target]:
    """The pods of the platform and of all served models."""
    knative = settings.serving.mode == "knative"
    return [
        *(_istio() if settings.gateway.ingress == "istio" else [_traefik()]),
        *(map(_knative, ("activator", "autoscaler", "controller", "webhook")) if knative else []),
        Target(job="models", having=SERVICE, port=MODEL_SERVER),
        *([Target(job="queues", having=SERVICE, port=QUEUE)] if knative else []),
    ]


def _traefik() -> Target:
    return Target(job="gateway", namespace=GATEWAY, labels={"app": "traefik"}, port=PING)


def _istio() -> list[Target]:
    return [
        Target(job="istiod", namespace=ISTIO, labels={"app": "istiod"}, port=15014),
        Target(job="gateway", namespace=ISTIO, labels=GATEWAY_PODS, port=15020, path="/stats/prometheus"),
    ]


def _knative(part: str) -> Target:
    return Target(job=f"knative-{part}", namespace=KNATIVE, labels={"app": part}, port=9090)
