"""What a run does that leaves a candidate: the contract between the stack, which writes it, and the container.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json. What training and tuning have in common:

    {
      "run": "iris-3f2a9c1d",              key of the run: same key, same run, one candidate
      "dataset": {
        "bucket": "datasets", "key": "iris.csv",  or "iris/preprocessed/": what an ETL run has left there
        "sha256": "9f86d0..."              optional: refuse any other content
      },
      "columns": ["sepal_length", ...],    the CSV's columns in order, the target among them; it has no header
      "target": "species",                 the column to predict
      "features": ["sepal_length", ...],   optional: what to predict it from, all numbers; default: all other columns
      "task": "classification",            optional: or "regression"
      "parameters": {"C": 1.0},            optional: keyword arguments of the estimator
      "held_out": 0.2,                     optional: part never trained on, chosen by the rows' content
      "seed": 0,                           optional: random state of the estimator
      "experiment": "iris",                the MLflow experiment
      "code_version": "sha256:...",        optional: what ran, for the record: image digest or commit
      "patience": 120,                     optional: seconds to go on trying while MLflow or the store is away
      "verdict": {                         optional: without it the verdict is only printed
        "namespace": "models", "configmap": "iris-3f2a9c1d"
      }
    }

A training has, unless a script of its own makes the model,

      "estimator": "logistic-regression"   one of ESTIMATORS in ml_runtime.estimators

The run's answer is `CandidateVerdict`: JSON under the key `verdict.json` of that ConfigMap.
Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ml_runtime.metrics import Task
from ml_runtime.spec import Block, DataObject, VerdictPlace, is_number, parse_ending, parse_table


@dataclass(frozen=True, kw_only=True)
class LearningSpec:
    """What every run does that leaves a candidate."""

    run: str
    dataset: DataObject
    columns: tuple[str, ...]
    target: str
    features: tuple[str, ...]
    task: Task
    experiment: str
    parameters: dict[str, Any] = field(default_factory=dict)
    held_out: float = 0.2
    seed: int = 0
    code_version: str = ""
    patience: float = 120.0
    verdict: VerdictPlace | None = None


@dataclass(frozen=True, kw_only=True)
class TrainSpec(LearningSpec):
    """One training run."""

    estimator: str | None = None
    """None: the program that runs makes the model itself."""


@dataclass(frozen=True, kw_only=True)
class CandidateVerdict:
    """What became of a run: its candidate, which a gate may accept."""

    run: str
    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float]
    candidate: str | None  # the MLflow run
    dataset_sha256: str
    held_out_sha256: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True)


def parse(raw: Any) -> TrainSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, TrainSpec)
    return TrainSpec(**learning(top), estimator=top.text("estimator") if "estimator" in raw else None)


def learning(top: Block) -> dict[str, Any]:
    """The fields of LearningSpec, checked.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    dataset = Block("dataset.", top.take("dataset"), DataObject)
    columns, target = parse_table(top)
    others = [name for name in columns if name != target]
    return {
        "run": top.text("run"),
        "dataset": DataObject(
            bucket=dataset.text("bucket"), key=dataset.text("key"), sha256=dataset.take("sha256", None)
        ),
        "columns": columns,
        "target": target,
        "features": tuple(
            top.check("features", lambda v: _some_of(v, others), f"a list of some of the columns {others}", others)
        ),
        "task": Task(top.check("task", lambda v: v in set(Task), f"one of {[*map(str, Task)]}", "classification")),
        "experiment": top.text("experiment"),
        "parameters": top.check("parameters", lambda v: isinstance(v, dict), "an object", {}),
        "held_out": top.check("held_out", lambda v: is_number(v) and 0 < v < 1, "a number between 0 and 1", 0.2),
        "seed": top.check("seed", lambda v: isinstance(v, int), "a whole number", 0),
        "code_version": top.text("code_version", ""),
        **parse_ending(top),
    }


def _some_of(value: object, allowed: list[str]) -> bool:
    return isinstance(value, list) and bool(value) and len(set(value)) == len(value) and set(value) <= set(allowed)
