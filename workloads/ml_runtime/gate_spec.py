"""What one judgement is about: the contract between the stack, which writes it, and the gate's container.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json:

    {
      "run": "iris-gate-77d01c5e",         key of the judgement: same key, same judgement, never registered twice
      "candidate": "0f3c...",              the MLflow run that has the model, its test rows and their schema
      "model": "iris",                     name of the registered model
      "before": "6",                       optional: the champion that a judgement before this one has left, in place of
                                           the one that has the alias
      "promotes": true,                    optional; false: the alias `champion` moves when the version serves, and
                                           ml_runtime.promote moves it
      "image": "registry/mlserver@...",    optional: where the gate runs and the model will, for the record
      "gate": {
        "metric": "accuracy",              one of METRICS in ml_runtime.metrics, or "<file>.py" beside this one
        "positive": "yes",                 optional: the class that f1, roc_auc and pr_auc are of; default: the rarer
        "at_least": 0.95,                  optional: where more is better
        "at_most": 1.5,                    optional: where less is better
        "min_rows": 20,                    optional: fewer test rows judge nothing
        "versus_champion": {               optional; null: not compared with the champion
          "margin": 0.0,                   it must be better by more than this; below 0: not worse by more than that
          "confidence": 0.95               and that sure
        },
        "allow_signature_change": false,   optional: may columns or types differ from the champion's?
        "flavours": ["sklearn", ...],      optional: what a server may load, of FLAVOURS or others of MLflow's names
        "approval": "automatic",           optional: or "manual": an accepted model is `challenger` until it is approved
        "approved": 7                      optional, with "manual": this version is the champion
      },
      "patience": 120,                     optional: seconds to go on trying while MLflow is away
      "code_version": "sha256:...",        optional: what ran, for the record
      "verdict": {                         optional: without it the verdict is only printed
        "namespace": "models", "configmap": "iris-gate-77d01c5e"
      }
    }

The gate's answer is ml_runtime.verdict.Verdict with the outputs `version`, the candidate's if it was registered, and
`champion`, the version that is to serve all: it has this alias, or gets it when it serves. Owns the shape and its
checks; it talks to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ml_runtime.errors import SpecError
from ml_runtime.metrics import METRICS, Metric
from ml_runtime.spec import Block, RunSpec, is_count, is_number, parse_run

FLAVOURS = ("sklearn", "xgboost", "lightgbm", "onnx", "pytorch", "pyfunc")
"""Of MLflow. Models that are code of their own, or come with it, are `pyfunc`: leave it out, and none is loaded."""


class Approval(StrEnum):
    """Who makes an accepted model the champion."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, kw_only=True)
class VersusChampion:
    """What a candidate must show against the champion on the same rows."""

    margin: float = 0.0
    confidence: float = 0.95


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """What a model must fulfil to be accepted."""

    metric: str
    positive: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    min_rows: int = 20
    versus_champion: VersusChampion | None = field(default_factory=VersusChampion)
    allow_signature_change: bool = False
    flavours: tuple[str, ...] = FLAVOURS
    approval: Approval = Approval.AUTOMATIC
    approved: int | None = None

    @property
    def confidence(self) -> float:
        """That of all intervals."""
        return (self.versus_champion or VersusChampion()).confidence

    @property
    def threshold(self) -> float | None:
        return self.at_most if self.at_least is None else self.at_least

    def fit(self, metric: Metric) -> None:
        """See that the threshold is on the metric's right side.

        Raises:
            SpecError: it is not.
        """
        wrong, right = ("at_least", "at_most") if metric.less_is_better else ("at_most", "at_least")
        if getattr(self, wrong) is not None:
            side = "less" if metric.less_is_better else "more"
            raise SpecError(
                f"gate.{wrong} is {getattr(self, wrong)}; of {self.metric} {side} is better: name gate.{right}"
            )


@dataclass(frozen=True, kw_only=True)
class GateSpec(RunSpec):
    """One judgement."""

    candidate: str
    model: str
    gate: GateRules
    before: str | None = None
    promotes: bool = True
    image: str = ""


def parse(raw: Any) -> GateSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, GateSpec)
    return GateSpec(
        candidate=top.text("candidate"),
        model=top.text("model"),
        gate=_rules(Block("gate.", top.take("gate"), GateRules)),
        before=top.check("before", lambda v: v is None or (isinstance(v, str) and v.isdigit()), "a version", None),
        promotes=top.check("promotes", lambda v: isinstance(v, bool), "true or false", True),
        image=top.text("image", ""),
        **parse_run(top),
    )


def _rules(table: Block) -> GateRules:
    ways = [*map(str, Approval)]
    rules = GateRules(
        metric=table.check("metric", _is_metric, f"one of {[*METRICS]}, or the name of a file of one's own: <name>.py"),
        positive=table.check("positive", lambda v: v is None or isinstance(v, str), "a class, as a text", None),
        at_least=table.check("at_least", lambda v: v is None or is_number(v), "a number", None),
        at_most=table.check("at_most", lambda v: v is None or is_number(v), "a number", None),
        min_rows=table.check("min_rows", is_count, "a whole number, 1 or more", 20),
        versus_champion=_versus(table.take("versus_champion", {})),
        allow_signature_change=table.check(
            "allow_signature_change", lambda v: isinstance(v, bool), "true or false", False
        ),
        flavours=tuple(table.check("flavours", _are_names, "a list of MLflow's flavours", list(FLAVOURS))),
        approval=Approval(table.check("approval", lambda v: v in ways, f"one of {ways}", "automatic")),
        approved=table.check("approved", lambda v: v is None or is_count(v), "the number of a version", None),
    )
    if rules.approved is not None and rules.approval is not Approval.MANUAL:
        raise SpecError(
            f"gate.approved is {rules.approved}, and gate.approval is automatic: make that manual, or drop it"
        )
    if rules.metric in METRICS:
        rules.fit(METRICS[rules.metric])
    return rules


def _versus(raw: Any) -> VersusChampion | None:
    if raw is None:
        return None
    block = Block("gate.versus_champion.", raw, VersusChampion)
    sure = "a number from 0.5 to 0.999"  # 2,000 resamples tell no more
    return VersusChampion(
        margin=block.check("margin", is_number, "a number", 0.0),
        confidence=block.check("confidence", lambda v: is_number(v) and 0.5 <= v <= 0.999, sure, 0.95),
    )


def _is_metric(value: object) -> bool:
    return isinstance(value, str) and (value in METRICS or (value.endswith(".py") and "/" not in value))


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
