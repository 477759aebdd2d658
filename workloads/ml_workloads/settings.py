"""What data scientists edit: ml-platform:workloads. Plain values; each block becomes resources of the same name."""

from collections.abc import Collection
from typing import Annotated, Literal, Self

import pulumi
from ml_platform.configuration import BucketName, MisfitError, Name, Quota, Settings, read
from ml_platform.needs import Needs
from pydantic import Field, model_validator

from ml_workloads.etl_settings import EtlSettings
from ml_workloads.fields import Columns
from ml_workloads.learning_settings import EtlOutput, LearningSettings, TrainingSettings
from ml_workloads.serving_settings import ServingSettings, check_names
from ml_workloads.tuning_settings import TuningSettings


class DatasetSettings(Settings):
    """A table in the object store: a CSV without a header line."""

    source: Literal["sklearn:iris", "sklearn:wine", "sklearn:breast-cancer", "uploaded"]
    """Where it comes from: scikit-learn's own copies of tables from the UCI repository, or somebody who uploads it;
    then other data need another key, or no run will know of them."""
    bucket: BucketName = "datasets"
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9._/]*[-A-Za-z0-9._])?$", max_length=200)]
    columns: Columns
    """Names of the columns, in the order of the file."""


class WorkloadsSettings(Settings):
    """ml-platform:workloads: data, ETL, training and serving. All of it but the ETL is in one namespace."""

    namespace: Name = "models"
    quota: Quota = Quota()
    datasets: dict[Name, DatasetSettings] = Field(default_factory=dict)
    etl: dict[Name, EtlSettings] = Field(default_factory=dict)
    training: dict[Name, TrainingSettings] = Field(default_factory=dict)
    tuning: dict[Name, TuningSettings] = Field(default_factory=dict)
    serving: dict[Name, ServingSettings] = Field(default_factory=dict)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those that this work needs: none where there is none to do."""
        return (self.namespace,) if self.datasets or self.etl or self.learning or self.serving else ()

    @property
    def learning(self) -> dict[str, LearningSettings]:
        """The blocks that give candidates, by name; no two have the same."""
        return {**self.training, **self.tuning}

    @property
    def models(self) -> dict[str, str]:
        """The block of training or tuning by the name of the model that it registers."""
        return {block.model or name: name for name, block in self.learning.items()}

    def needs(self, spark: str | None) -> Needs:
        """What this work needs of its cluster, by the operator that runs its ETL."""
        return Needs(images=tuple(sorted(self._images(spark))), namespaces=self.namespaces)

    def _images(self, spark: str | None) -> set[str]:
        data = {"training"} if self.datasets else set()
        judged = {"training", "mlserver"} if self.learning else set()
        named = all(block.image for block in self.etl.values())
        tables = {"spark"} if spark == "kubeflow" and not named else set()  # Stackable's operator has its own
        return data | judged | tables | ({"tuning"} if self.tuning else set())

    @property
    def accounts(self) -> tuple[tuple[str, str], ...]:
        """Namespace and name of the service accounts whose pods use the object store, beside those of the ETL."""
        datasets = ["dataset"] if self.datasets else []
        trainings = [f"training-{name}" for name in self.training]
        tunings = [f"tuning-{name}" for name in self.tuning]
        return tuple((self.namespace, account) for account in (*datasets, *trainings, *tunings))

    def etl_columns(self, name: str) -> tuple[str, ...]:
        """Those of the table that a run leaves."""
        return self.etl[name].columns or self.datasets[self.etl[name].dataset].columns

    def _columns_of(self, path: str, learning: LearningSettings) -> tuple[str, ...]:
        if isinstance(learning.dataset, EtlOutput):
            known(f"{path}.dataset.etl", learning.dataset.etl, self.etl)
            return self.etl_columns(learning.dataset.etl)
        known(f"{path}.dataset", learning.dataset, self.datasets)
        return self.datasets[learning.dataset].columns

    def _complete_learning(self, path: str, learning: LearningSettings) -> None:
        columns = self._columns_of(path, learning)
        known(f"{path}.target", learning.target, columns)
        for each in learning.features or ():
            known(f"{path}.features", each, columns)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, etl in self.etl.items():
            known(f"etl.{name}.dataset", etl.dataset, self.datasets)
            known(f"etl.{name}.target", etl.target, self.datasets[etl.dataset].columns)
            known(f"etl.{name}.target", etl.target, self.etl_columns(name))
        for name, training in self.training.items():
            self._complete_learning(f"training.{name}", training)
        for name, tuning in self.tuning.items():
            self._complete_learning(f"tuning.{name}", tuning)
            if name in self.training:
                raise MisfitError(f"tuning.{name}", "a block of training has this name; choose another one")
        if len(self.models) < len(self.learning):
            raise MisfitError("training", "two blocks register the same model; give one of them another `model`")
        check_names(self.serving)
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
