"""What one judgement is about: the contract between the stack, which writes it, and the gate's container.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json:

    {
      "run": "iris-gate-77d01c5e",         key of the judgement: same key, same judgement, never registered twice
      "candidate": "0f3c...",              the MLflow run that has the model and its held-out rows
      "columns": ["sepal_length", ...],    of those rows, in order
      "target": "species",                 the column to predict
      "gate": {
        "metric": "accuracy",              one of METRICS in ml_runtime.metrics
        "threshold": 0.95,                 optional: at least this; at most, where less is better
        "champion": "better",              optional: than the deployed model: "better", "not-worse" or "ignore"
        "allow_signature_change": false    optional: may columns or types differ from the deployed model's?
      },
      "model": "iris",                     name of the registered model
      "image": "registry/mlserver@...",    optional: where the gate runs and the model will, for the record
      "patience": 120,                     optional: seconds to go on trying while MLflow is away
      "verdict": {                         optional: without it the verdict is only printed
        "namespace": "models", "configmap": "iris-gate-77d01c5e"
      }
    }

The gate's answer is `GateVerdict`: JSON under the key `verdict.json` of that ConfigMap.
Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ml_runtime.metrics import METRICS
from ml_runtime.spec import Block, VerdictPlace, is_number, parse_ending, parse_table


class AgainstChampion(StrEnum):
    """What a candidate must show against the deployed model, both scored on the same held-out rows."""

    BETTER = "better"
    NOT_WORSE = "not-worse"
    IGNORE = "ignore"


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """What a model must fulfil to become champion."""

    metric: str
    threshold: float | None = None
    champion: AgainstChampion = AgainstChampion.BETTER
    allow_signature_change: bool = False


@dataclass(frozen=True, kw_only=True)
class GateSpec:
    """One judgement."""

    run: str
    candidate: str
    columns: tuple[str, ...]
    target: str
    gate: GateRules
    model: str
    image: str = ""
    patience: float = 120.0
    verdict: VerdictPlace | None = None


@dataclass(frozen=True, kw_only=True)
class GateVerdict:
    """What became of a candidate.

    `rule` is the rule that refused it (serving-image, threshold, signature, champion), or "accepted".
    `numbers` are what the rules looked at: the metric, threshold, champion_<metric>, held_out_rows.
    """

    run: str
    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float]
    candidate: str  # the MLflow run
    version: str | None  # the candidate's, if it was registered
    champion: str | None  # the version that is champion after this verdict
    dataset_sha256: str
    held_out_sha256: str
    image: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True)


def parse(raw: Any) -> GateSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, GateSpec)
    columns, target = parse_table(top)
    return GateSpec(
        run=top.text("run"),
        candidate=top.text("candidate"),
        columns=columns,
        target=target,
        gate=_rules(Block("gate.", top.take("gate"), GateRules)),
        model=top.text("model"),
        image=top.text("image", ""),
        **parse_ending(top),
    )


def _rules(table: Block) -> GateRules:
    against = table.check(
        "champion", lambda v: v in set(AgainstChampion), f"one of {[*map(str, AgainstChampion)]}", "better"
    )
    return GateRules(
        metric=table.check("metric", lambda v: v in METRICS, f"one of {[*METRICS]}"),
        threshold=table.check("threshold", lambda v: v is None or is_number(v), "a number", None),
        champion=AgainstChampion(against),
        allow_signature_change=table.check(
            "allow_signature_change", lambda v: isinstance(v, bool), "true or false", False
        ),
    )
