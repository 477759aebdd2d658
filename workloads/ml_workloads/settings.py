"""What data scientists edit: ml-platform:workloads. Plain values; each block becomes resources of the same name."""

from collections.abc import Collection
from typing import Annotated, Literal, Self

import pulumi
from ml_platform.configuration import MisfitError, Name, Quantity, Resources, Settings, one_rule, read
from pydantic import Field, model_validator

from ml_workloads.etl_settings import EtlSettings
from ml_workloads.fields import Column, Columns, Share

Count = Annotated[int, Field(ge=0, le=100)]
Fraction = Annotated[float, Field(gt=0, lt=1)]

Parameter = Annotated[bool | int | float | str | None, one_rule("a parameter is a number, a text, true, false or null")]
Version = Annotated[
    Literal["champion"] | Annotated[int, Field(ge=1)], one_rule("allowed: champion, or a number from 1")
]


class DatasetSettings(Settings):
    """A table in the object store: a CSV without a header line."""

    source: Literal["sklearn:iris", "sklearn:wine", "sklearn:breast-cancer", "uploaded"]
    """Where it comes from: scikit-learn's own copies of tables from the UCI repository, or somebody who uploads it;
    then other data need another key, or no run will know of them."""
    bucket: Name = "datasets"
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9._/]*[-A-Za-z0-9._])?$", max_length=200)]
    columns: Columns
    """Names of the columns, in the order of the file."""


class EtlOutput(Settings):
    """The table that an ETL run leaves."""

    etl: Name
    """A block of `etl`."""


class GateSettings(Settings):
    """What a model must show on held-out data before it becomes champion."""

    minimum_accuracy: Share = 0.0
    champion: Literal["better", "not-worse", "ignore"] = "better"
    """How it must compare with the deployed model, scored on the same rows."""
    allow_signature_change: bool = False
    """May the columns or their types differ from the deployed model's?"""


class TrainingSettings(Settings):
    """A training run. Whatever changes here is a new run on the next `up`."""

    dataset: Annotated[Name | EtlOutput, one_rule("it is a data set's name, or {etl: <a block of etl>}")]
    target: Column
    """The column to predict."""
    estimator: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")] = "logistic-regression"
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
    """Seconds after which the run is stopped, retries included."""
    resources: Resources = Resources(cpu="250m", memory="384Mi", cpu_limit="2", memory_limit="2Gi")


class ModelChoice(Settings):
    """A registered model and which version of it."""

    name: Name
    version: Version = "champion"
    """`champion` is the version that the gate has accepted last."""


class ServingSettings(Settings):
    """A served model."""

    model: ModelChoice
    min_replicas: Count = 1
    """0 lets it scale to zero, in serving mode knative; the first request then waits for a start."""
    max_replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """In serving mode standard more than min_replicas needs the cluster's metrics server: it scales by CPU."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 20
    """Requests at once for which one replica is enough, in serving mode knative."""
    timeout: Annotated[int, Field(ge=30, le=3600)] = 300
    """Seconds that a new version may take until it answers."""
    resources: Resources = Resources(cpu="100m", memory="384Mi", cpu_limit="1", memory_limit="1Gi")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise MisfitError("min_replicas", f"it must not exceed max_replicas, which is {self.max_replicas}")
        return self


class QuotaSettings(Settings):
    """What all workloads of the namespace may take together, as limits."""

    cpu: Quantity = "16"
    memory: Quantity = "16Gi"
    pods: Annotated[int, Field(ge=1, le=10000)] = 50


class WorkloadsSettings(Settings):
    """ml-platform:workloads: data, ETL, training and serving. All of it but the ETL is in one namespace."""

    namespace: Name = "models"
    quota: QuotaSettings = QuotaSettings()
    datasets: dict[Name, DatasetSettings] = Field(default_factory=dict)
    etl: dict[Name, EtlSettings] = Field(default_factory=dict)
    training: dict[Name, TrainingSettings] = Field(default_factory=dict)
    serving: dict[Name, ServingSettings] = Field(default_factory=dict)

    @property
    def models(self) -> dict[str, str]:
        """The training block by the name of the model that it registers."""
        return {block.model or name: name for name, block in self.training.items()}

    def etl_columns(self, name: str) -> tuple[str, ...]:
        """Those of the table that a run leaves."""
        return self.etl[name].columns or self.datasets[self.etl[name].dataset].columns

    def _columns_of(self, name: str, training: TrainingSettings) -> tuple[str, ...]:
        if isinstance(training.dataset, EtlOutput):
            known(f"training.{name}.dataset.etl", training.dataset.etl, self.etl)
            return self.etl_columns(training.dataset.etl)
        known(f"training.{name}.dataset", training.dataset, self.datasets)
        return self.datasets[training.dataset].columns

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, etl in self.etl.items():
            known(f"etl.{name}.dataset", etl.dataset, self.datasets)
            known(f"etl.{name}.target", etl.target, self.datasets[etl.dataset].columns)
            known(f"etl.{name}.target", etl.target, self.etl_columns(name))
        for name, training in self.training.items():
            known(f"training.{name}.target", training.target, self._columns_of(name, training))
        if len(self.models) < len(self.training):
            raise MisfitError("training", "two blocks register the same model; give one of them another `model`")
        for name, serving in self.serving.items():
            if serving.model.version == "champion":
                known(f"serving.{name}.model.name", serving.model.name, self.models)
        return self


def known(path: str, value: str, allowed: Collection[str]) -> None:
    """Raises MisfitError unless `value`, found at `path`, is one of `allowed`."""
    if value not in allowed:
        raise MisfitError(path, f"allowed: {', '.join(allowed) or 'nothing, there are none'}")


def load_workloads(config: pulumi.Config) -> WorkloadsSettings:
    return read(config, "workloads", WorkloadsSettings)
