"""What one look at a deployed model is told: the contract between the stack, which writes it, and the monitor.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json:

    {
      "run": "iris-monitor-77d01c5e", "patience": 120, "verdict": {...},   see ml_runtime.spec
      "model": "iris",                     the registered model, whose champion is looked at
      "requests": "s3://datasets/requests/",                               where requests are kept
      "services": ["iris"],                those of which blocks of `serving` count
      "period": 7,                         days back from now
      "drift": {
        "share": 0.5,                      from this part of the columns on, the model is degraded
        "min_rows": 100,                   fewer say nothing
        "rows": 100000                     the newest; others are left out
      },
      "quality": {                         optional
        "labels": "s3://datasets/labels/", where what turned out to be right is: an object, or all below a prefix
        "id": "id",                        its column with the id of the answer
        "metric": "accuracy",              one of METRICS in ml_runtime.metrics that needs no probabilities
        "at_least": 0.9, "at_most": 2.5,   optional, one of both: beyond it the model is degraded
        "min_rows": 50                     fewer say nothing
      }
    }

Owns the shape and its checks; it talks to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml_runtime.errors import SpecError
from ml_runtime.metrics import METRICS, Metric
from ml_runtime.places import Stored, stored
from ml_runtime.spec import Block, RunSpec, is_count, is_number, parse_run

BOUNDS = ("at_least", "at_most")


@dataclass(frozen=True, kw_only=True)
class DriftRules:
    """When requests are others than the rows that the model was judged by."""

    share: float = 0.5
    min_rows: int = 100
    rows: int = 100_000


@dataclass(frozen=True, kw_only=True)
class QualityRules:
    """When answers are too often wrong."""

    labels: Stored
    id: str = "id"
    metric: Metric
    at_least: float | None = None
    at_most: float | None = None
    min_rows: int = 50

    @property
    def bound(self) -> float | None:
        return self.at_most if self.metric.less_is_better else self.at_least


@dataclass(frozen=True, kw_only=True)
class MonitorSpec(RunSpec):
    """One look."""

    model: str
    requests: Stored
    services: tuple[str, ...]
    period: int
    drift: DriftRules = DriftRules()
    quality: QualityRules | None = None


def parse(raw: Any) -> MonitorSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, MonitorSpec)
    named = top.check("services", lambda v: isinstance(v, list) and bool(v), "a list of names")
    return MonitorSpec(
        **parse_run(top),
        model=top.text("model"),
        requests=stored(top.text("requests"), "requests"),
        services=tuple(named),
        period=top.check("period", is_count, "days, above 0"),
        drift=_drift(Block("drift.", top.take("drift", {}), DriftRules)),
        quality=_quality(Block("quality.", top.take("quality"), QualityRules)) if top.take("quality", None) else None,
    )


def _drift(block: Block) -> DriftRules:
    return DriftRules(
        share=block.check("share", lambda v: is_number(v) and 0 < v <= 1, "above 0, and 1 at most", 0.5),
        min_rows=block.check("min_rows", is_count, "a number of rows", 100),
        rows=block.check("rows", is_count, "a number of rows", 100_000),
    )


def _quality(block: Block) -> QualityRules:
    metric = block.text("metric")
    if metric not in METRICS or METRICS[metric].needs_probabilities:
        known = ", ".join(name for name, each in METRICS.items() if not each.needs_probabilities)
        raise SpecError(f"{block.path('metric')} is {metric!r}; it must be one of {known}")
    bounds = {key: block.check(key, lambda v: v is None or is_number(v), "a number", None) for key in BOUNDS}
    return QualityRules(
        labels=stored(block.text("labels"), block.path("labels")),
        id=block.text("id", "id"),
        metric=METRICS[metric],
        min_rows=block.check("min_rows", is_count, "a number of rows", 50),
        **bounds,
    )
