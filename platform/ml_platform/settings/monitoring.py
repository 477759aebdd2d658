"""The settings of metrics, dashboards and alerts."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import MisfitError, Name, Quantity, Resources, Settings

Interval = Annotated[str, Field(pattern=r"^([5-9]|[1-9]\d|[12]\d\d|300)s$")]
"""Seconds from 5s to 300s."""
Retention = Annotated[str, Field(pattern=r"^[1-9]\d{0,3}[dwy]$")]
"""Days, weeks or years."""


class MonitoringSettings(Settings):
    """Metrics of the platform and of the work on it, with dashboards and alerts."""

    source: Literal["own", "existing"] = "own"
    """The server of the metrics. own: VictoriaMetrics on a volume of the cluster, with dashboards and alerts in its web
    page. existing: the Prometheus Operator that the cluster has; it gets PodMonitors and a PrometheusRule."""
    interval: Interval = "15s"
    """The time from one look at a pod to the next."""
    retention: Retention = "14d"
    """The time that metrics are kept, for source own."""
    storage: Quantity = "5Gi"
    """The size of the server's volume, for source own. A larger size is an update where the storage class allows
    expansion; a smaller one is refused. On the one-machine cluster the size limits nothing."""
    resources: Resources = Resources(memory="64Mi", memory_limit="512Mi")
    """The resources of the server, for source own."""
    namespace: Name = "monitoring"
    """The namespace of the cluster's Prometheus, for source existing: monitors and alerts go there, and its pods may
    connect to those of the platform and of the work."""
    labels: dict[str, str] = Field(default_factory=dict)
    """The labels by which that Prometheus selects monitors and rules, for source existing."""

    @model_validator(mode="after")
    def _of_one_source(self) -> Self:
        for source, keys in _OF_SOURCE.items():
            for key in keys:
                if key in self.model_fields_set and self.source != source:
                    rule = f"it is of source: {source} alone; remove it, or choose that source"
                    raise MisfitError(key, rule, remove=True)
        return self


_OF_SOURCE = {"own": ("retention", "storage", "resources"), "existing": ("namespace", "labels")}
