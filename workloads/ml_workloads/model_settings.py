"""A block of `models` in ml-platform:workloads: what a candidate must show before it is served, and which packages its
code needs."""

from typing import Annotated, Any, Literal, Self

from ml_platform.configuration import MisfitError, Settings, one_rule
from pydantic import Field, model_validator

from ml_workloads import metrics
from ml_workloads.data_settings import Task
from ml_workloads.fields import Script
from ml_workloads.metrics import METRICS, Metric
from ml_workloads.monitor_settings import MonitorSettings

Flavour = Literal["sklearn", "xgboost", "lightgbm", "onnx", "pytorch", "pyfunc"]
DebianPackage = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*[a-z0-9+]$", description="A package of Debian 12, by its name.")
]


class ChampionSettings(Settings):
    """How a candidate must compare with the champion on the same test rows, by a paired bootstrap."""

    margin: float = 0.0
    """By how much it must be better; a negative margin lets it be worse by less than that."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """How sure that must be: 0.5 compares the scores alone."""


class GateSettings(Settings):
    """The rules of the gate, which it asks in this order."""

    metric: Annotated[Metric | Script, one_rule("it is a metric's name, or a program with a function score")] | None = (
        None
    )
    """The metric; without it, accuracy for classes and rmse for numbers. A program (metric.py) has a function
    score(target, answers) of its own, and LESS_IS_BETTER."""
    positive: str | None = None
    """The class that f1, roc_auc and pr_auc are of; without it, the rarer of two."""
    at_least: float | None = None
    """The least score of a metric of which more is better."""
    at_most: float | None = None
    """The greatest score of a metric of which less is better."""
    min_rows: Annotated[int, Field(ge=1)] = 20
    """The least number of test rows that a judgement is based on."""
    versus_champion: ChampionSettings | None = ChampionSettings()
    """null: the champion is not looked at."""
    allow_signature_change: bool = False
    """Whether the columns or their types may differ from the champion's."""
    approval: Literal["automatic", "manual"] = "automatic"
    """automatic: what the gate accepts becomes champion. manual: it waits as challenger until `approved` names it."""
    flavours: Annotated[tuple[Flavour, ...], Field(min_length=1)] = ("sklearn", "xgboost", "lightgbm", "onnx")
    """The flavours of MLflow that may be loaded. pytorch and pyfunc run code that comes with the model."""

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if self.at_least is not None and self.at_most is not None:
            raise MisfitError("at_most", "it has one of at_least and at_most; remove one", remove=True)
        if self.metric and (misfit := self.misfit(self.metric)):
            raise misfit
        return self

    def misfit(self, metric: str) -> MisfitError | None:
        """What is wrong with the bound where the metric is this one."""
        return metrics.misfit(metric, self.at_least, self.at_most)


def is_program(metric: str | None) -> bool:
    """Whether a metric is a program of one's own, and not a name."""
    return metric is not None and metric.endswith(".py")


class PackagesSettings(Settings):
    """Packages beside those of the platform's images, which become a layer on each image that the model's code runs
    in."""

    requirements: (
        Annotated[
            str,
            Field(
                pattern=r"^[A-Za-z0-9_.][-A-Za-z0-9_./]*\.txt$",
                description="A requirements file with the hashes of all packages, by its path from the folder of "
                "Pulumi.yaml.",
            ),
        ]
        | None
    ) = None
    debian: tuple[DebianPackage, ...] = ()
    """Packages of Debian 12, for libraries that no wheel has. Python finds modules of theirs after the image's own."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.requirements and not self.debian:
            raise ValueError("it has requirements, debian, or both")
        return self


class ModelSettings(Settings):
    """A registered model: several runs may leave candidates for it, and the gate judges each."""

    packages: PackagesSettings | None = None
    """What its code needs beside the platform's images: in every run that learns it, in its gate, and in all that
    serves it."""
    gate: GateSettings = GateSettings()
    approved: Annotated[int, Field(ge=1)] | None = None
    """With approval: manual, the version that becomes champion."""
    monitor: MonitorSettings | None = None
    """How its champion is looked at while it serves, where `requests` of a block of `serving` are kept."""

    @model_validator(mode="after")
    def _approval_asked(self) -> Self:
        if self.approved is not None and self.gate.approval != "manual":
            raise MisfitError("approved", "the gate's approval is automatic; remove it", remove=True)
        return self

    def metric_for(self, task: Task) -> str:
        """The gate's metric for data of that task."""
        return self.gate.metric or METRICS[task][0]

    def rules(self, task: Task) -> dict[str, Any]:
        """The gate's, as its run is told, its metric named."""
        found = self.gate.model_dump(mode="json", exclude={"metric"}, exclude_none=True)
        champion = self.gate.versus_champion
        return {
            **found,
            "metric": self.metric_for(task),
            "versus_champion": champion.model_dump(mode="json") if champion else None,
            **({"approved": self.approved} if self.approved else {}),
        }
