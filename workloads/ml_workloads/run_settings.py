"""A block of `runs` in ml-platform:workloads: what is run, on which data, by which operator, and what it leaves.

What a run does decides its name: a change is a new run. How long it may take, how often it is tried and where it runs
are no reason for a new one.
"""

from typing import Annotated, Any, Literal, Self

from ml_platform.configuration import MisfitError, Name, amount
from pydantic import Discriminator, Field, Tag, model_validator

from ml_workloads.batch_settings import BatchSettings
from ml_workloads.data_settings import Task
from ml_workloads.export_settings import ExportSettings
from ml_workloads.fields import Fraction, WorkResources
from ml_workloads.learning_settings import DEFAULTS, ImageLearningSettings, LearningSettings, check_ones
from ml_workloads.metrics import Metric
from ml_workloads.pipeline_settings import PipelineSettings
from ml_workloads.space_settings import XGBOOST, DomainSettings
from ml_workloads.spark_settings import SparkSettings
from ml_workloads.torch_settings import TorchSettings

SEARCHED = "xgboost"
"""The estimator of a search that names none."""
LEAST_HEAD = "2Gi"
"""The least memory of a RayJob's head; in less, its memory monitor kills the trials."""

UNSEARCHED = "a search calls a fit with other parameters for each trial, and the program of an image learns once"


class JobSettings(ImageLearningSettings):
    """A training in one pod."""

    operator: Literal["job"] = "job"
    folds: Annotated[int, Field(ge=2, le=50)] | None = None
    """Parts of the training rows for a cross-validation beside the fit: its scores are metrics of the run."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for key in ("data", "model"):
            if getattr(self, key) is None:
                raise MisfitError(key, "a run of operator job has one")
        return self


class RaySettings(LearningSettings):
    """A search for the best parameters by Ray Tune: its best trial, fitted again on all training rows, is the
    candidate."""

    operator: Literal["ray"]
    of: Name | None = None
    """Another run: its data, model, program and parameters are those of the trials."""
    space: dict[str, DomainSettings] = XGBOOST
    """The parameters that differ between trials; those in `parameters` are the same for all."""
    trials: Annotated[int, Field(ge=1, le=1000)] = 20
    at_once: Annotated[int, Field(ge=1, le=64)] = 2
    """How many trials run side by side; they share the processors of `resources`."""
    validation: Fraction = 0.2
    """The part of the training rows that the trials are compared on."""
    metric: Metric | None = None
    """What the best trial is best by; without it, the gate's."""
    searcher: Literal["random", "optuna"] = "random"
    """Who chooses the parameters of the next trial: chance, or Optuna by what the trials before have shown."""
    scheduler: Literal["none", "asha"] = "none"
    """asha ends trials early that fall behind; for estimators that are fitted in rounds: xgboost and lightgbm."""
    runner: Literal["job", "ray-job"] = "job"
    """job: a Job with Ray inside it, for every cluster. ray-job: a RayJob, for clusters that have KubeRay."""
    resources: WorkResources = WorkResources(cpu="500m", memory="1Gi", cpu_limit="2", memory_limit="3Gi")
    """The resources of the run, and of its gate."""

    def program(self, task: Task) -> str:
        named = self.script or self.estimator
        return named or (DEFAULTS[task] if self.of else SEARCHED)

    @property
    def threads(self) -> int:
        """The processors of each trial."""
        return max(1, int(amount(self.resources.cpu_limit)) // self.at_once)

    @property
    def domains(self) -> dict[str, Any]:
        """The space as plain values."""
        return {name: domain.model_dump(mode="json", exclude_none=True) for name, domain in self.space.items()}

    @model_validator(mode="before")
    @classmethod
    def _calls_a_fit(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("image"):
            raise MisfitError("image", f"{UNSEARCHED}; name an estimator or a script instead", remove=True)
        return given

    @model_validator(mode="after")
    def _searches_what_there_is(self) -> Self:
        if not self.space:
            raise MisfitError("space", "it names at least one parameter")
        check_ones({f"space.{name}.choice": domain.choice or () for name, domain in self.space.items()})
        if both := sorted(self.space.keys() & self.parameters.keys()):
            raise MisfitError(f"parameters.{both[0]}", "space has it as well; keep one of them", remove=True)
        if self.runner == "ray-job" and amount(self.resources.memory_limit) < amount(LEAST_HEAD):
            raise MisfitError("resources.memory_limit", f"a RayJob needs {LEAST_HEAD} or more")
        for key in ("data", "model"):
            if self.of is None and getattr(self, key) is None:
                raise MisfitError(key, "a search has one, or takes that of another run by `of`")
        for key in ("data", "model", "estimator", "script", "modules"):
            if self.of is not None and getattr(self, key):
                raise MisfitError(key, f"it is that of run {self.of}; remove it", remove=True)
        return self


def _operator(block: Any) -> str:
    return str(block.get("operator", "job") if isinstance(block, dict) else getattr(block, "operator", "job"))


RunSettings = Annotated[
    Annotated[JobSettings, Tag("job")]
    | Annotated[RaySettings, Tag("ray")]
    | Annotated[SparkSettings, Tag("spark")]
    | Annotated[TorchSettings, Tag("torch")]
    | Annotated[BatchSettings, Tag("batch")]
    | Annotated[ExportSettings, Tag("export")]
    | Annotated[PipelineSettings, Tag("kfp")],
    Discriminator(_operator),
]
