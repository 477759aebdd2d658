"""What a training and a tuning have in common in ml-platform:workloads: the data, the target, the gate, the limits.

Each block of `training` or `tuning` gives one candidate, and its gate decides whether it becomes champion.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from ml_platform.configuration import MisfitError, Name, Resources, Settings, one_rule
from pydantic import Field, model_validator

from ml_workloads.fields import Column, Features, Pool, Script

Fraction = Annotated[float, Field(gt=0, lt=1)]
Parameter = Annotated[bool | int | float | str | None, one_rule("a parameter is a number, a text, true, false or null")]
Estimator = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
Task = Literal["classification", "regression"]
Metric = Literal["accuracy", "recall", "rmse", "mae", "r2"]

METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "classification": ("accuracy", "recall"),
    "regression": ("rmse", "mae", "r2"),
}
"""By task; the first is the one where the settings name none."""
LEAST_AND_MOST: Mapping[Metric, tuple[float, float]] = {
    "accuracy": (0, 1),
    "recall": (0, 1),
    "rmse": (0, float("inf")),
    "mae": (0, float("inf")),
    "r2": (float("-inf"), 1),
}


class EtlOutput(Settings):
    """The table that an ETL run leaves."""

    etl: Name
    """A block of `etl`."""


class GateSettings(Settings):
    """What a model must show on held-out data before it becomes champion."""

    metric: Metric | None = None
    """What it is judged by; without it, accuracy where classes are predicted, rmse where numbers are."""
    threshold: float | None = None
    """At least this much of it; at most, where less is better: rmse and mae."""
    champion: Literal["better", "not-worse", "ignore"] = "better"
    """How it must compare with the deployed model, scored on the same rows."""
    allow_signature_change: bool = False
    """May the columns or their types differ from the deployed model's?"""


class LearningSettings(Settings):
    """A run that leaves a candidate. What changes here is a new run on the next `up`; of the gate, a new judgement."""

    dataset: Annotated[Name | EtlOutput, one_rule("it is a data set's name, or {etl: <a block of etl>}")]
    target: Column
    """The column to predict."""
    features: Features | None = None
    """The columns to predict it from, all of them numbers; without it, all but the target."""
    task: Task = "classification"
    """Are classes predicted or numbers?"""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    """Keyword arguments of the estimator."""
    held_out: Fraction = 0.2
    """The part that is never trained on; the gate scores on it."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    gate: GateSettings = GateSettings()
    model: Name | None = None
    """The registered model's name; without it, the name of this block."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a crashed run is started again."""
    timeout: Annotated[int, Field(ge=30, le=86400)] = 900
    """Seconds after which the run is stopped, retries included; its gate has as long once more."""
    resources: Resources = Resources(cpu="250m", memory="384Mi", cpu_limit="2", memory_limit="2Gi")
    """Of the run, and of its gate."""
    pool: Pool = None
    """The node pool that both run on."""

    @property
    def rules(self) -> dict[str, Any]:
        """The gate's, its metric named."""
        return {**self.gate.model_dump(mode="json"), "metric": self.gate.metric or METRICS[self.task][0]}

    @model_validator(mode="after")
    def _judged_by_what_fits(self) -> Self:
        metric, threshold = self.rules["metric"], self.gate.threshold
        if metric not in METRICS[self.task]:
            raise MisfitError("gate.metric", f"for {self.task} there are {' and '.join(METRICS[self.task])}")
        least, most = LEAST_AND_MOST[metric]
        if threshold is not None and not least <= threshold <= most:
            raise MisfitError("gate.threshold", f"{metric} is from {least} to {most}")
        if self.features and self.target in self.features:
            raise MisfitError("features", f"the target {self.target!r} can't be among them")
        return self


class TrainingSettings(LearningSettings):
    """A training run."""

    estimator: Estimator | None = None
    """Without it, and without a script: logistic-regression for classes, linear-regression for numbers."""
    script: Script | None = None
    """Training code of one's own, a file beside Pulumi.yaml; it calls ml_runtime.train.main(fit)."""

    @model_validator(mode="after")
    def _one_program(self) -> Self:
        if self.script and self.estimator:
            raise MisfitError("estimator", f"the script {self.script} makes its own; keep one of them", remove=True)
        return self
