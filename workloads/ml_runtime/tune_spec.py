"""What one tuning does: the contract between the stack, which writes it, and the container.

A JSON file as ml_runtime.learning_spec has it, and in it

    {
      "space": {                           the domain of each parameter that differs between trials
        "max_depth": {"integer": [1, 8]},  see ml_runtime.search
        "eta": {"log_uniform": [0.0001, 0.1]}
      },
      "metric": "accuracy",                one of METRICS in ml_runtime.metrics: what the best trial is best by
      "parameters": {"n_estimators": 50},  optional: those that all trials share
      "trials": 20,                        optional: how many
      "validation": 0.2,                   optional: the part of the training rows that trials are compared on
      "searcher": "random",                optional: or "optuna", which learns from the trials that have ended
      "scheduler": "none",                 optional: or "asha", which ends trials that fall behind; of boosters only
      "at_once": 2,                        optional: how many side by side
      "threads": 1                         optional: of each
    }

Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ml_runtime import search
from ml_runtime.errors import SpecError
from ml_runtime.estimators import ESTIMATORS
from ml_runtime.learning_spec import LearningSpec, learning
from ml_runtime.metrics import METRICS
from ml_runtime.parameters import SEEDS
from ml_runtime.search import Domain
from ml_runtime.spec import Block, is_count, is_number


class Searcher(StrEnum):
    """How the parameters of the next trial are chosen."""

    RANDOM = "random"
    OPTUNA = "optuna"


class Scheduler(StrEnum):
    """Which trials may go on to their end."""

    NONE = "none"
    ASHA = "asha"


@dataclass(frozen=True, kw_only=True)
class TuneSpec(LearningSpec):
    """One tuning."""

    space: dict[str, Domain]
    metric: str
    trials: int = 20
    validation: float = 0.2
    searcher: Searcher = Searcher.RANDOM
    scheduler: Scheduler = Scheduler.NONE
    at_once: int = 2
    threads: int = 1


def parse(raw: Any) -> TuneSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, TuneSpec)
    common = learning(top)
    metrics = [name for name, metric in METRICS.items() if metric.task is common["data"].task]
    return TuneSpec(
        **common,
        space=_space(top, common["parameters"]),
        metric=top.check("metric", lambda v: v in metrics, f"one of {metrics}"),
        trials=_count(top, "trials", 20),
        validation=top.check("validation", lambda v: is_number(v) and 0 < v <= 0.5, "above 0, at most a half", 0.2),
        searcher=Searcher(_one_of(top, "searcher", Searcher, Searcher.RANDOM)),
        scheduler=_scheduler(top, common["estimator"]),
        at_once=_count(top, "at_once", 2),
        threads=_count(top, "threads", 1),
    )


def _space(top: Block, shared: dict[str, Any]) -> dict[str, Domain]:
    space = top.check("space", lambda v: isinstance(v, dict) and bool(v), "an object with a domain for each parameter")
    if twice := sorted(set(space) & set(shared)):
        raise SpecError(f"parameters.{twice[0]} is in `space` too; keep one of them")
    if own := sorted(set(SEEDS) & set(space)):
        raise SpecError(f"space.{own[0]} is the run's own `seed`; take it out of the space")
    return {name: search.check(name, domain) for name, domain in space.items()}


def _scheduler(top: Block, estimator: str | None) -> Scheduler:
    found = Scheduler(_one_of(top, "scheduler", Scheduler, Scheduler.NONE))
    boosters = [name for name, family in ESTIMATORS.items() if family.continued_by]
    if found is Scheduler.ASHA and estimator not in boosters:
        raise SpecError(
            f"scheduler is 'asha', which compares trials before their end: the estimators {', '.join(boosters)} can be "
            f"asked then, {estimator or 'a script'} can't; leave the scheduler out"
        )
    return found


def _one_of(top: Block, key: str, allowed: type[StrEnum], default: StrEnum) -> str:
    value: str = top.check(key, lambda v: v in set(allowed), f"one of {[*map(str, allowed)]}", str(default))
    return value


def _count(top: Block, key: str, default: int) -> int:
    value: int = top.check(key, is_count, "a whole number from 1", default)
    return value
