"""What one tuning does: the contract between the stack, which writes it, and the container.

A JSON file as ml_runtime.learning_spec has it, and in it

    {
      "estimator": "xgboost",              one of ESTIMATORS in ml_runtime.estimators
      "metric": "accuracy",                one of METRICS in ml_runtime.metrics: what the best trial is best by
      "search": {                          the domain of each parameter that differs between trials
        "max_depth": {"integer": [1, 8]},  see ml_runtime.search
        "eta": {"log_uniform": [0.0001, 0.1]}
      },
      "parameters": {"n_estimators": 50},  optional: those that all trials share
      "trials": 20,                        optional: how many
      "validation": 0.2,                   optional: the part of what is not held out that trials are compared on
      "at_once": 2,                        optional: how many side by side
      "threads": 1                         optional: of each
    }

Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml_runtime import search
from ml_runtime.learning_spec import LearningSpec, learning
from ml_runtime.metrics import METRICS
from ml_runtime.search import Domain
from ml_runtime.spec import Block, is_number


@dataclass(frozen=True, kw_only=True)
class TuneSpec(LearningSpec):
    """One tuning."""

    estimator: str
    metric: str
    search: dict[str, Domain]
    trials: int = 20
    validation: float = 0.2
    at_once: int = 2
    threads: int = 1


def parse(raw: Any) -> TuneSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, TuneSpec)
    common = learning(top)
    metrics = [name for name, metric in METRICS.items() if metric.task is common["task"]]
    space = top.check("search", lambda v: isinstance(v, dict) and bool(v), "an object with a domain for each parameter")
    return TuneSpec(
        **common,
        estimator=top.text("estimator"),
        metric=top.check("metric", lambda v: v in metrics, f"one of {metrics}"),
        search={name: search.check(name, domain) for name, domain in space.items()},
        trials=_count(top, "trials", 20),
        validation=top.check("validation", lambda v: is_number(v) and 0 < v < 1, "a number between 0 and 1", 0.2),
        at_once=_count(top, "at_once", 2),
        threads=_count(top, "threads", 1),
    )


def _count(top: Block, key: str, default: int) -> int:
    value: int = top.check(key, lambda v: isinstance(v, int) and v >= 1, "a whole number from 1", default)
    return value
