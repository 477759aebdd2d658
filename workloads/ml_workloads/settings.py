"""What data scientists edit: ml-platform:workloads. Plain values; each block becomes resources of the same name."""

from collections.abc import Collection, Iterator
from typing import Self, TypeVar

import pulumi
from ml_platform.configuration import MisfitError, Name, Quota, Settings, read
from ml_platform.needs import Needs
from pydantic import Field, model_validator

from ml_workloads import watching
from ml_workloads.batch_settings import BatchSettings
from ml_workloads.claim_settings import ClaimSettings
from ml_workloads.data_settings import DataSettings, LearnedSettings, Task
from ml_workloads.export_settings import ExportSettings
from ml_workloads.learning_settings import LearningSettings
from ml_workloads.metrics import METRICS
from ml_workloads.model_settings import ModelSettings, is_program
from ml_workloads.monitor import IMAGE as MONITOR
from ml_workloads.monitor import name_of as monitor_of
from ml_workloads.monitor_settings import MonitorSettings
from ml_workloads.pipeline_settings import PipelineSettings
from ml_workloads.recorded import COLLECTOR
from ml_workloads.requests_settings import KeptSettings, RequestsSettings
from ml_workloads.run_settings import SEARCHED, UNSEARCHED, JobSettings, RaySettings, RunSettings
from ml_workloads.serving_settings import check_names
from ml_workloads.source_settings import FilesSettings, RegisteredSettings, ServedSettings, account_of
from ml_workloads.spark_settings import SparkSettings
from ml_workloads.table import TABLE
from ml_workloads.torch_settings import TorchSettings

R = TypeVar("R", bound=LearningSettings)
Learning = JobSettings | RaySettings | TorchSettings
"""A run that leaves a candidate."""


class WorkloadsSettings(Settings):
    """ml-platform:workloads: data, runs, models and what serves them. All but runs of Spark are in one namespace."""

    namespace: Name = "models"
    quota: Quota = Quota()
    data: dict[Name, DataSettings] = Field(default_factory=dict)
    """What is learned from."""
    runs: dict[Name, RunSettings] = Field(default_factory=dict)
    """What is run."""
    models: dict[Name, ModelSettings] = Field(default_factory=dict)
    """When a model is good enough."""
    serving: dict[Name, ServedSettings] = Field(default_factory=dict)
    """What answers requests."""
    claims: dict[Name, ClaimSettings] = Field(default_factory=dict)
    """Volumes that runs and served models share."""
    requests: RequestsSettings | None = None
    """Where requests are kept."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of this work: none where there is none to do."""
        return (self.namespace,) if self.data or self.runs or self.serving or self.claims else ()

    @property
    def spark(self) -> dict[str, SparkSettings]:
        """The runs of Spark, by name."""
        return {name: run for name, run in self.runs.items() if isinstance(run, SparkSettings)}

    @property
    def learning(self) -> dict[str, Learning]:
        """The runs that leave a candidate, by name, each with all that it takes from another."""
        named = {name: run for name, run in self.runs.items() if isinstance(run, Learning)}
        return {name: self._whole(run) for name, run in named.items()}

    @property
    def torch(self) -> dict[str, TorchSettings]:
        """The trainings in several pods, by name."""
        return {name: run for name, run in self.runs.items() if isinstance(run, TorchSettings)}

    @property
    def batch(self) -> dict[str, BatchSettings]:
        """The runs that score data, by name."""
        return {name: run for name, run in self.runs.items() if isinstance(run, BatchSettings)}

    @property
    def exports(self) -> dict[str, ExportSettings]:
        """The runs that put files of models on volumes, by name."""
        return {name: run for name, run in self.runs.items() if isinstance(run, ExportSettings)}

    @property
    def pipelines(self) -> dict[str, PipelineSettings]:
        """The runs of pipelines, by name."""
        return {name: run for name, run in self.runs.items() if isinstance(run, PipelineSettings)}

    @property
    def judged(self) -> dict[str, Learning | PipelineSettings]:
        """All runs that leave a candidate, by name."""
        return {**self.learning, **{name: run for name, run in self.pipelines.items() if run.model}}

    @property
    def watched(self) -> dict[str, DataSettings]:
        """The data in the object store, which are looked at."""
        return {name: each for name, each in self.data.items() if each.stored}

    @property
    def registered(self) -> dict[str, RegisteredSettings]:
        """The served models of the registry, by name."""
        return {name: each for name, each in self.serving.items() if isinstance(each, RegisteredSettings)}

    @property
    def kept(self) -> dict[str, KeptSettings]:
        """What is kept of the requests to served models, by name."""
        return {name: each.requests for name, each in self.serving.items() if each.requests}

    @property
    def monitored(self) -> dict[str, MonitorSettings]:
        """How each deployed model is looked at that is, by name."""
        return {name: each.monitor for name, each in self.models.items() if each.monitor}

    def followers(self, model: str) -> list[str]:
        """The served models that have its champion, by name."""
        served = self.registered.items()
        return [name for name, each in served if each.model == model and each.version == "champion"]

    def learned(self, data: str) -> LearnedSettings:
        """What is learned from the data that a run names: those of a block, or the table of a run."""
        block, _, output = data.partition(".")
        if not output:
            return self.data[block]
        if block in self.pipelines and (table := self.pipelines[block].table):
            return table
        run = self.spark[block]
        raw = self.data[run.data]
        given = {key: getattr(run.table, key) for key in run.table.model_fields_set}
        inherited = {key: getattr(raw, key) for key in LearnedSettings.model_fields}
        return LearnedSettings.model_construct(**{**inherited, **given})

    def needs(self, spark: str | None) -> Needs:
        """What this work needs of its cluster, by the operator that runs Spark."""
        return Needs(images=tuple(sorted(self._images(spark))), namespaces=self.namespaces)

    def _images(self, spark: str | None) -> set[str]:
        data = {"training"} if self.watched or self.batch or self.exports or self.kept else set()
        judged = {"training", "mlserver"} if self.judged else set()
        pipelines = {"pipeline"} if self.pipelines else set()
        named = all(run.image for run in self.spark.values())
        tables = {"spark"} if spark == "kubeflow" and not named else set()  # Stackable's operator has its own
        tuned = any(isinstance(run, RaySettings) for run in self.runs.values())
        scripted = any(each.transformer and each.transformer.script for each in self.serving.values())
        before = {"mlserver"} if scripted else set()
        looks = {MONITOR} if self.monitored else set()
        return data | judged | pipelines | tables | before | looks | ({"tuning"} if tuned else set())

    @property
    def accounts(self) -> tuple[tuple[str, str], ...]:
        """Namespace and name of the service accounts whose pods use the object store, beside those of Spark."""
        looks = [f"data-{name}" for name in self.watched]
        stored = {name: each for name, each in self.serving.items() if isinstance(each, FilesSettings)}
        fetch = [account_of(name) for name, each in stored.items() if each.scheme == "s3"]
        return tuple(
            (self.namespace, account)
            for account in (
                *looks,
                *fetch,
                *([COLLECTOR] if self.kept else []),
                *map(monitor_of, self.monitored),
                *(f"run-{name}" for name in {**self.learning, **self.batch, **self.pipelines}),
            )
        )

    def _whole(self, run: R) -> R:
        other = self.runs.get(run.of) if isinstance(run, RaySettings) and run.of else None
        if not isinstance(other, LearningSettings):
            return run
        same = {key: getattr(other, key) for key in ("data", "model", "estimator", "script", "modules")}
        searched = run.space if isinstance(run, RaySettings) else {}
        shared = {name: value for name, value in other.parameters.items() if name not in searched}
        return run.model_copy(update={**same, "parameters": {**shared, **run.parameters}})

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, run in self.runs.items():
            if isinstance(run, SparkSettings):
                known(f"runs.{name}.data", run.data, self.data)
                if misfit := self.learned(f"{name}.{TABLE}").misfit:
                    raise misfit.below(f"runs.{name}.table")
            elif isinstance(run, RaySettings) and run.of:
                known(f"runs.{name}.of", run.of, [other for other, each in self.runs.items() if _runs_alone(each)])
                if getattr(self.runs[run.of], "image", None):
                    raise MisfitError(f"runs.{name}.of", f"{UNSEARCHED}; name a run without an image")
        for name, learning in sorted(self.learning.items(), key=lambda each: _follows(each[1])):
            self._check_learning(f"runs.{name}", learning)
        for name, pipeline in self.pipelines.items():
            self._check_pipeline(f"runs.{name}", pipeline)
        check_names(self.serving)
        self._check_run_names()
        trained = {str(run.model) for run in self.judged.values()}
        for path, each in self._users():
            if each.version == "champion":
                known(f"{path}.model", each.model, trained)
        watching.check(self)
        for name, batch in self.batch.items():
            known(f"runs.{name}.data", batch.data, self._tables)
        for name, served in self.serving.items():
            if exported := served.exported:
                known(f"serving.{name}.model_files", f"{exported}.files", [f"{each}.files" for each in self.exports])
        return self

    def _users(self) -> Iterator[tuple[str, RegisteredSettings | BatchSettings | ExportSettings]]:
        """All that asks a registered model, by its path."""
        yield from ((f"serving.{name}", each) for name, each in self.registered.items())
        yield from ((f"runs.{name}", each) for name, each in self.batch.items())
        yield from ((f"runs.{name}", each) for name, each in self.exports.items())

    @property
    def _tables(self) -> list[str]:
        """What can be learned from and scored."""
        return [*self._made, *(f"{name}.{TABLE}" for name, run in self.pipelines.items() if run.table)]

    @property
    def _made(self) -> list[str]:
        """What is there before any pipeline has run."""
        return [*self.data, *(f"{name}.{TABLE}" for name in self.spark)]

    def _check_run_names(self) -> None:
        """Raises MisfitError where a run has the name of what is run beside it."""
        beside = {
            **{f"{name}-gate": f"the gate of run {name}" for name in self.judged},
            **{monitor_of(model): f"what looks at model {model}" for model in self.monitored},
            **{f"{model}-champion": f"what makes a champion of model {model}" for model in self.models},
            **{f"data-{name}": f"the look at data {name}" for name in self.watched},
        }
        for name in self.runs:
            if name in beside:
                raise MisfitError(f"runs.{name}", f"{beside[name]} has this name; choose another one", remove=True)

    def _check_pipeline(self, path: str, run: PipelineSettings) -> None:
        for name, data in run.inputs.items():
            known(f"{path}.inputs.{name}", data, self._made)
            if data in self.data and self.data[data].dvc:
                raise MisfitError(f"{path}.inputs.{name}", "it is kept by DVC, and has no place that a URI names")
        for name in run.services:
            if {name, name.removesuffix("-canary")} & self.serving.keys():
                raise MisfitError(
                    f"{path}.services", f"serving has {name}: what it declares is no pipeline's to change"
                )
        if run.model:
            known(f"{path}.data", str(run.data), self._made)
            task = self._check_candidate(path, run)
            self._check_metrics(path, run, task)

    def _check_candidate(self, path: str, run: Learning | PipelineSettings) -> Task:
        """The task of what it learns."""
        known(f"{path}.data", str(run.data), self._tables)
        known(f"{path}.model", str(run.model), self.models)
        learned = self.learned(str(run.data))
        if learned.target is None:
            block = f"runs.{str(run.data).partition('.')[0]}.table" if "." in str(run.data) else f"data.{run.data}"
            raise MisfitError(f"{block}.target", f"{path} learns from it: name the column to predict")
        return learned.task

    def _check_learning(self, path: str, run: Learning) -> None:
        task = self._check_candidate(path, run)
        program = run.program(task)
        if isinstance(run, RaySettings) and program != SEARCHED and "space" not in run.model_fields_set:
            raise MisfitError(f"{path}.space", f"it must be given for {program}")
        self._check_metrics(path, run, task)

    def _check_metrics(self, path: str, run: Learning | PipelineSettings, task: Task) -> None:
        gate = self.models[str(run.model)].gate
        named = {f"models.{run.model}.gate.metric": gate.metric}
        if isinstance(run, RaySettings):
            named[f"{path}.metric"] = run.metric
            if run.metric is None and is_program(gate.metric):
                raise MisfitError(f"{path}.metric", f"trials can't be compared by the gate's {gate.metric}: name one")
        for key, metric in named.items():
            if metric and not is_program(metric) and metric not in METRICS[task]:
                raise MisfitError(key, f"for {task} there are {', '.join(METRICS[task])}", metric)
        if misfit := gate.misfit(self.models[str(run.model)].metric_for(task)):
            raise misfit.below(f"models.{run.model}.gate")


def _follows(run: Learning) -> bool:
    """Whether it takes its data and its program from another run."""
    return isinstance(run, RaySettings) and run.of is not None


def _runs_alone(run: object) -> bool:
    return isinstance(run, JobSettings)


def known(path: str, value: str, allowed: Collection[str]) -> None:
    """Raises MisfitError unless `value`, found at `path`, is one of `allowed`."""
    if value not in allowed:
        raise MisfitError(path, f"allowed: {', '.join(allowed) or 'nothing, there are none'}")


def load_workloads(config: pulumi.Config) -> WorkloadsSettings:
    return read(config, "workloads", WorkloadsSettings)
