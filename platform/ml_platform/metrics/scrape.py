"""The configuration by which VictoriaMetrics looks at pods, nodes and the API server: that of Prometheus."""

from collections.abc import Sequence
from typing import Any

from ml_platform.metrics.targets import LABELS, Target

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
API_SERVER = "kubernetes.default.svc:443"
SELF = {"metrics": 8428, "alerts": 8880}
"""The ports of the server of the metrics, and of what looks for alerts in them, by job."""
NODES = {"kubelet": "/metrics", "nodes": "/metrics/resource"}
"""The paths of a kubelet's own metrics, and of the processor time and memory of its node, pods and containers, by
job."""
KEPT = {
    "kubelet": r"kubelet_(running_pods|running_containers|volume_stats_.+|pod_start_duration_seconds_.+)|process_.+",
    "api-server": r"apiserver_(request_total|request_duration_seconds_(sum|count)|storage_objects)|process_.+",
}
"""The names of the series that are kept, by job: the other thousands are of those who develop Kubernetes."""


def configuration(targets: Sequence[Target], interval: str) -> dict[str, Any]:
    """The whole configuration: `targets`, each node, the API server, and the server of the metrics itself."""
    return {
        "global": {"scrape_interval": interval},
        "scrape_configs": [
            *map(_pods, targets),
            *(_node(job, path) for job, path in NODES.items()),
            _kept({"job_name": "api-server", **_by_token(), "static_configs": [{"targets": [API_SERVER]}]}),
            *({"job_name": job, "static_configs": [_at(port)]} for job, port in SELF.items()),
        ],
    }


def _at(port: int) -> dict[str, Any]:
    return {"targets": [f"127.0.0.1:{port}"]}


def _pods(target: Target) -> dict[str, Any]:
    where = {"namespaces": {"names": [target.namespace]}} if target.namespace else {}
    found = {"role": "pod", **where, "selectors": [{"role": "pod", "label": target.selector}]}
    return {
        "job_name": target.job,
        "metrics_path": target.path,
        "kubernetes_sd_configs": [found],
        "relabel_configs": [
            _only("__meta_kubernetes_pod_phase", "Running"),
            {**_from("__meta_kubernetes_pod_ip", "__address__"), "replacement": f"$1:{target.port}"},
            _from("__meta_kubernetes_namespace", "namespace"),
            _from("__meta_kubernetes_pod_name", "pod"),
            *(_from(label, name) for name, label in LABELS.items()),
        ],
    }


def _node(job: str, path: str) -> dict[str, Any]:
    """A kubelet answers at the address of its node, with a certificate of the cluster's own authority."""
    return _kept(
        {
            "job_name": job,
            "metrics_path": path,
            **_by_token(),
            "kubernetes_sd_configs": [{"role": "node"}],
            "relabel_configs": [_from("__meta_kubernetes_node_name", "node")],
        }
    )


def _by_token() -> dict[str, Any]:
    return {
        "scheme": "https",
        "authorization": {"credentials_file": f"{ACCOUNT}/token"},
        "tls_config": {"ca_file": f"{ACCOUNT}/ca.crt"},
    }


def _kept(job: dict[str, Any]) -> dict[str, Any]:
    names = KEPT.get(job["job_name"])
    return {**job, "metric_relabel_configs": [_only("__name__", names)]} if names else job


def _from(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": target}


def _only(source: str, values: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": values, "action": "keep"}
