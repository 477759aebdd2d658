"""What is drawn of the metrics: dashboards of rows of panels, each panel with its queries in PromQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_platform.metrics.targets import Target

WIDTH = 12
"""Of a row."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: str
    queries: Mapping[str, str]
    """PromQL by the name of its line; {{name}} in it stands for a label of the series."""
    unit: str = ""
    width: int = WIDTH // 2


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    title: str
    rows: Mapping[str, Sequence[Panel]]

    @property
    def panels(self) -> list[Panel]:
        return [panel for row in self.rows.values() for panel in row]


def dashboards(targets: Sequence[Target]) -> list[Dashboard]:
    """Those of what is there."""
    jobs = {each.job for each in targets}
    traefik = "traefik" in {each.labels.get("app") for each in targets}
    knative = {"Replicas that Knative wants": _KNATIVE} if "knative-autoscaler" in jobs else {}
    gateway = {"Gateway": _GATEWAY} if traefik else {}
    return [
        Dashboard(title="Models", rows={"Requests": _REQUESTS, "Replicas": _REPLICAS, **knative}),
        Dashboard(title="Platform", rows={**gateway, "Kubernetes": _API_SERVER, "Metrics": _METRICS}),
        Dashboard(title="Cluster", rows={"Nodes": _NODES, "Namespaces": _NAMESPACES}),
    ]


def of_vmui(dashboard: Dashboard) -> dict[str, Any]:
    """As the web page of VictoriaMetrics reads it."""
    rows = [{"title": title, "panels": [_panel(each) for each in panels]} for title, panels in dashboard.rows.items()]
    return {"title": dashboard.title, "rows": rows}


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "width": panel.width,
        "unit": panel.unit,
        "expr": [*panel.queries.values()],
        "alias": [*panel.queries],
        "showLegend": True,
    }


def _percentiles(histogram: str, by: str) -> dict[str, str]:
    found = f"sum by ({by}, le) (rate({histogram}_bucket[2m]))"
    return {f"{{{{{by}}}}} p{of}": f"histogram_quantile({of / 100}, {found})" for of in (50, 95, 99)}


_ASKED = "rest_server_requests_total"
_REQUESTS = (
    Panel(title="Requests a second", queries={"{{service}}": f"sum by (service) (rate({_ASKED}[2m]))"}),
    Panel(
        title="Answers by status",
        queries={"{{service}} {{status_code}}": f"sum by (service, status_code) (rate({_ASKED}[2m]))"},
    ),
    Panel(title="Latency", unit="s", queries=_percentiles("rest_server_request_duration_seconds", "service")),
    Panel(
        title="Requests on their way", queries={"{{service}}": "sum by (service) (rest_server_requests_in_progress)"}
    ),
)
_REPLICAS = (
    Panel(title="Replicas that answer", queries={"{{service}}": 'sum by (service) (up{job="models"})'}),
    Panel(
        title="Memory of the model server",
        unit="MiB",
        queries={
            "{{pod}}": 'sum by (pod) (container_memory_working_set_bytes{container="kserve-container"}) / 2^20',
        },
    ),
    Panel(
        title="Processors of the model server",
        queries={"{{pod}}": 'sum by (pod) (rate(container_cpu_usage_seconds_total{container="kserve-container"}[2m]))'},
    ),
)
_KNATIVE = (
    Panel(
        title="Replicas",
        queries={
            "wanted": "sum(kn_revision_pods_desired)",
            "there": "sum(kn_revision_pods_count)",
            "not ready": "sum(kn_revision_pods_not_ready_count)",
        },
    ),
    Panel(
        title="Requests at once, against what one replica shall have",
        queries={
            "requests": "sum(kn_revision_concurrency_stable)",
            "target": "max(kn_revision_concurrency_target)",
        },
    ),
)
_GATEWAY = (
    Panel(
        title="Requests a second by status",
        queries={"{{code}}": "sum by (code) (rate(traefik_entrypoint_requests_total[2m]))"},
    ),
    Panel(title="Latency", unit="s", queries=_percentiles("traefik_entrypoint_request_duration_seconds", "entrypoint")),
    Panel(title="Open connections", queries={"{{entrypoint}}": "sum by (entrypoint) (traefik_open_connections)"}),
)
_API_SERVER = (
    Panel(title="Requests a second", queries={"{{verb}}": "sum by (verb) (rate(apiserver_request_total[2m]))"}),
    Panel(
        title="Largest kinds",
        unit="objects",
        queries={"{{resource}}": "topk(10, max by (resource) (apiserver_storage_objects))"},
    ),
)
_METRICS = (
    Panel(title="Pods that answer", queries={"{{job}}": "sum by (job) (up)"}),
    Panel(title="Series", queries={"active": 'sum(vm_cache_entries{type="storage/hour_metric_ids"})'}),
    Panel(title="Memory", unit="MiB", queries={"{{job}}": "sum by (job) (process_resident_memory_bytes) / 2^20"}),
)
_NODES = (
    Panel(title="Processors at work", queries={"{{node}}": "sum by (node) (rate(node_cpu_usage_seconds_total[2m]))"}),
    Panel(title="Memory", unit="GiB", queries={"{{node}}": "sum by (node) (node_memory_working_set_bytes) / 2^30"}),
    Panel(title="Pods", queries={"{{node}}": "sum by (node) (kubelet_running_pods)"}),
)
_NAMESPACES = (
    Panel(
        title="Processors at work",
        queries={"{{namespace}}": "sum by (namespace) (rate(container_cpu_usage_seconds_total[2m]))"},
    ),
    Panel(
        title="Memory",
        unit="MiB",
        queries={"{{namespace}}": "sum by (namespace) (container_memory_working_set_bytes) / 2^20"},
    ),
)
