"""What a Prometheus Operator that the cluster has is asked for: a PodMonitor for each target, and the alerts."""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_platform.metrics.alerts import Alert, groups
from ml_platform.metrics.targets import LABELS, Target

API = "monitoring.coreos.com/v1"


def pod_monitor(target: Target, meta: Mapping[str, Any], interval: str) -> dict[str, Any]:
    """The PodMonitor of a target, whose series have the same labels as those of the platform's own server."""
    where: dict[str, Any] = {"matchNames": [target.namespace]} if target.namespace else {"any": True}
    relabelings = [
        {"targetLabel": "job", "replacement": target.job},
        *({"sourceLabels": [label], "targetLabel": name} for name, label in LABELS.items()),
    ]
    endpoint = {"portNumber": target.port, "path": target.path, "interval": interval, "relabelings": relabelings}
    spec = {"namespaceSelector": where, "selector": target.match, "podMetricsEndpoints": [endpoint]}
    return {"apiVersion": API, "kind": "PodMonitor", "metadata": dict(meta), "spec": spec}


def prometheus_rule(chosen: Sequence[Alert], meta: Mapping[str, Any]) -> dict[str, Any]:
    """The PrometheusRule with the alerts."""
    return {"apiVersion": API, "kind": "PrometheusRule", "metadata": dict(meta), "spec": {"groups": groups(chosen)}}
