"""A block of `runs` in ml-platform:workloads: what is run, on which data, by which operator, and what it leaves.

What a run does decides its name: a change is a new run. How long it may take, how often it is tried and where it runs
are no reason for a new one.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from ml_platform.configuration import MisfitError, Name, Settings, amount
from pydantic import Discriminator, Field, Tag, model_validator

from ml_workloads.data_settings import Task
from ml_workloads.fields import Command, Fraction, OwnImage, Parameter, Pool, Script, WorkResources
from ml_workloads.model_settings import Metric
from ml_workloads.space_settings import XGBOOST, DomainSettings
from ml_workloads.spark_settings import SparkSettings

DEFAULTS: Mapping[Task, str] = {"classification": "logistic-regression", "regression": "linear-regression"}
"""The estimator of a training that names none."""
SEARCHED = "xgboost"
"""The estimator of a search that names none."""
ALL_OR_ONE = ("max_features", "max_samples")
"""The parameters of which scikit-learn takes 1.0 for all, and 1 for one."""
LEAST_HEAD = "2Gi"
"""The least memory of a RayJob's head; in less, its memory monitor kills the trials."""

UNSEARCHED = "a search calls a fit with other parameters for each trial, and the program of an image learns once"

DataName = Annotated[
    str,
    Field(
        pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?(\.[a-z]([-a-z0-9]*[a-z0-9])?)?$",
        description="A block of `data`, or <run>.table, which a run of Spark leaves.",
    ),
]
Estimator = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]


class LearningSettings(Settings):
    """A run that leaves a candidate of a model."""

    data: DataName | None = None
    """What it learns from."""
    model: Name | None = None
    """The block of `models` that its candidate is for."""
    estimator: Estimator | None = None
    """Without it, and without a script: logistic-regression for classes, linear-regression for numbers."""
    script: Script | None = None
    """Training code of one's own; it calls ml_runtime.train.main(fit)."""
    modules: tuple[Script, ...] = ()
    """Files of one's own that the script imports; they lie beside it."""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    """Keyword arguments of the estimator, or what the script is given."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a run is started again that crashed; an error of its data, code or settings ends it at once."""
    timeout: Annotated[int, Field(ge=30, le=86400)] = 900
    """Seconds after which the run is stopped, retries included; its gate has as long once more."""
    resources: WorkResources = WorkResources(cpu="250m", memory="384Mi", cpu_limit="2", memory_limit="2Gi")
    """The resources of the run, and of its gate."""
    scratch: Annotated[str, Field(pattern=r"^[1-9][0-9]*[MG]i$")] = "2Gi"
    """The room on the node's disk for the data that are read and the files of the model."""
    pool: Pool = None
    """The node pool that both run on."""

    @model_validator(mode="after")
    def _one_program(self) -> Self:
        if self.script and self.estimator:
            raise MisfitError("estimator", f"the script {self.script} makes its own; keep one of them", remove=True)
        if self.modules and not self.script:
            raise MisfitError("modules", "they are imported by a script; name one, or remove it", remove=True)
        names = [path.rpartition("/")[2] for path in (self.script or "", *self.modules)]
        if len(set(names)) < len(names):
            raise MisfitError("modules", f"all lie in one folder, and two have one name: {', '.join(sorted(names))}")
        for name in ("seed", "random_state"):
            if name in self.parameters:
                raise MisfitError(f"parameters.{name}", "the run's own key `seed` is for that; remove it", remove=True)
        _check_ones({f"parameters.{name}": [value] for name, value in self.parameters.items()})
        return self

    @property
    def by_name(self) -> bool:
        """Whether an estimator makes the model, and no program of one's own."""
        return self.script is None

    def program(self, task: Task) -> str:
        """The script, or the name of the estimator for data of that task."""
        return self.script or self.estimator or DEFAULTS[task]


def _check_ones(values: Mapping[str, Iterable[object]]) -> None:
    """Refuses a 1 that may have been a 1.0 in the stack's file: Pulumi hands over both as 1."""
    for path, given in values.items():
        if path.partition(".")[2].partition(".")[0] in ALL_OR_ONE and any(
            each is not True and each == 1 for each in given
        ):
            raise MisfitError(path, "1 may be one or all of them, since Pulumi makes a 1 of 1.0; null is all of them")


class JobSettings(LearningSettings):
    """A training in one pod."""

    operator: Literal["job"] = "job"
    folds: Annotated[int, Field(ge=2, le=50)] | None = None
    """Parts of the training rows for a cross-validation beside the fit: its scores are metrics of the run."""
    image: OwnImage | None = None
    """A program of one's own, in any language: it finds the training rows, their schema and the parameters in files
    that the variables ML_TRAINING_ROWS, ML_SCHEMA and ML_RUN name, and saves a model of MLflow as the folder that
    ML_MODEL names."""
    command: Command | None = None
    """What runs in the image; without it, the image's own entrypoint."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for key in ("data", "model"):
            if getattr(self, key) is None:
                raise MisfitError(key, "a run of operator job has one")
        for key in ("estimator", "script", "modules", "folds"):
            if self.image and getattr(self, key):
                raise MisfitError(key, "the image has a program of its own, which learns once; keep one", remove=True)
        if self.command and not self.image:
            raise MisfitError("command", "it runs in an `image` of one's own; name one, or remove it", remove=True)
        return self

    @property
    def by_name(self) -> bool:
        return super().by_name and self.image is None


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
        _check_ones({f"space.{name}.choice": domain.choice or () for name, domain in self.space.items()})
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
    Annotated[JobSettings, Tag("job")] | Annotated[RaySettings, Tag("ray")] | Annotated[SparkSettings, Tag("spark")],
    Discriminator(_operator),
]
