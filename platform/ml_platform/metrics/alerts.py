"""When somebody is told: a number of the metrics, the line that it must not cross, and for how long.

Each alert has a paragraph in docs/monitoring.md that says what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ml_platform.metrics.targets import Target

RUNBOOK = "docs/monitoring.md"
EVERY = "1m"


@dataclass(frozen=True, kw_only=True)
class Alert:
    name: str
    value: str
    """The number in PromQL, one for each series that may be told of."""
    above: float | None = None
    below: float | None = None
    """Somebody is told while the value is above, or below, this."""
    minutes: int
    """So long it must be so."""
    severity: Literal["warning", "critical"] = "warning"
    summary: str
    """One sentence; {{ $labels.<name> }} and {{ $value }} stand for what they are."""

    @property
    def expression(self) -> str:
        return f"({self.value}) > {self.above}" if self.above is not None else f"({self.value}) < {self.below}"


def alerts(targets: Sequence[Target]) -> list[Alert]:
    """Those of what is there."""
    return [*OF_ALL, *([*OF_GATEWAY] if "traefik" in {each.labels.get("app") for each in targets} else [])]


def groups(chosen: Sequence[Alert]) -> list[dict[str, Any]]:
    """The alerts as Prometheus, the Prometheus Operator and vmalert read them."""
    return [{"name": "ml-platform", "interval": EVERY, "rules": [_rule(each) for each in chosen]}]


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": f"{alert.minutes}m",
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook": f"{RUNBOOK}#{alert.name.lower()}"},
    }


def _percent(failed: str, requests: str, by: str = "") -> str:
    """How many of a hundred requests have failed; none where none has failed yet, and so no such series is there."""
    whole = f"sum{by} (rate({requests}[5m]))"
    return f"100 * (sum{by} (rate({failed}[5m])) or 0 * {whole}) / {whole}"


OF_ALL = (
    Alert(
        name="MetricsAway",
        # Servers and transformers of one's own have a label of KServe's too, and need not have metrics.
        value='min by (job) (up{job!="models"})',
        below=1,
        minutes=5,
        summary="The metrics of {{ $labels.job }} can't be read: one of its pods does not answer.",
    ),
    Alert(
        name="ModelFails",
        value=_percent('rest_server_requests_total{status_code=~"5.."}', "rest_server_requests_total", " by (service)"),
        above=1,
        minutes=5,
        severity="critical",
        summary="{{ $value }} % of the requests to {{ $labels.service }} end with an error of the model's own.",
    ),
    Alert(
        name="ModelSlow",
        value="histogram_quantile(0.95, sum by (service, le) (rate(rest_server_request_duration_seconds_bucket[5m])))",
        above=1,
        minutes=10,
        summary="One of twenty requests to {{ $labels.service }} takes {{ $value }} s or more.",
    ),
    Alert(
        name="PodRestarts",
        value="sum by (namespace, pod) (changes(container_start_time_seconds[15m]))",
        above=3,
        minutes=1,
        summary="{{ $labels.namespace }}/{{ $labels.pod }} has started containers {{ $value }} times in 15 minutes.",
    ),
    Alert(
        name="ApiServerFails",
        value=_percent('apiserver_request_total{code=~"5.."}', "apiserver_request_total"),
        above=3,
        minutes=10,
        summary="{{ $value }} % of the requests to the Kubernetes API end with an error of the server.",
    ),
    Alert(
        name="MetricsDiskFull",
        value="min(vm_free_disk_space_bytes) / 2^30",
        below=1,
        minutes=5,
        severity="critical",
        summary="The disk of the metrics has {{ $value }} GiB left.",
    ),
)
OF_GATEWAY = (
    Alert(
        name="GatewayFails",
        value=_percent('traefik_entrypoint_requests_total{code=~"5.."}', "traefik_entrypoint_requests_total"),
        above=5,
        minutes=5,
        severity="critical",
        summary="{{ $value }} % of the requests to the gateway end with an error of the server.",
    ),
)
