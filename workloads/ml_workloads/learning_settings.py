"""What every block of `runs` says that leaves a candidate of a model; its operators add to it what is their own."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from ml_platform.configuration import MisfitError, Name, Settings
from pydantic import Field, model_validator

from ml_workloads.data_settings import Task
from ml_workloads.fields import Command, DataName, OwnImage, Parameter, Pool, Script, WorkResources

DEFAULTS: Mapping[Task, str] = {"classification": "logistic-regression", "regression": "linear-regression"}
"""The estimator of a training that names none."""
ALL_OR_ONE = ("max_features", "max_samples")
"""The parameters of which scikit-learn takes 1.0 for all, and 1 for one."""
Estimator = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]


class BoundedSettings(Settings):
    """A run in pods of the platform's images: how long it may take, how often it is tried and where. None of it is a
    reason for a new run."""

    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a run is started again that crashed; an error of its data, code or settings ends it at once."""
    timeout: Annotated[int, Field(ge=30, le=86400)] = 900
    """Seconds after which the run is stopped, retries included; a gate has as long once more."""
    resources: WorkResources = WorkResources(cpu="250m", memory="384Mi", cpu_limit="2", memory_limit="2Gi")
    """The resources of the run, and of its gate."""
    scratch: Annotated[str, Field(pattern=r"^[1-9][0-9]*[MG]i$")] = "2Gi"
    """The room on the node's disk for the data that are read and the files of the model."""
    pool: Pool = None
    """The node pool that it runs on."""


class LearningSettings(BoundedSettings):
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
        check_ones({f"parameters.{name}": [value] for name, value in self.parameters.items()})
        return self

    @property
    def by_name(self) -> bool:
        """Whether an estimator makes the model, and no program of one's own."""
        return self.script is None

    def program(self, task: Task) -> str:
        """The script, or the name of the estimator for data of that task."""
        return self.script or self.estimator or DEFAULTS[task]


class ImageLearningSettings(LearningSettings):
    """Such a run by a script or an estimator, or by an image of one's own."""

    image: OwnImage | None = None
    """A program of one's own, in any language: it finds the training rows, their schema and the parameters in files
    that the variables ML_TRAINING_ROWS, ML_SCHEMA and ML_RUN name, and saves a model of MLflow as the folder that
    ML_MODEL names."""
    command: Command | None = None
    """What runs in the image; without it, the image's own entrypoint."""

    @model_validator(mode="after")
    def _by_image(self) -> Self:
        for key in ("estimator", "script", "modules", "folds"):
            if self.image and getattr(self, key, None):
                raise MisfitError(key, "the image has a program of its own, which learns once; keep one", remove=True)
        if self.command and not self.image:
            raise MisfitError("command", "it runs in an `image` of one's own; name one, or remove it", remove=True)
        return self

    @property
    def by_name(self) -> bool:
        return super().by_name and self.image is None


def check_ones(values: Mapping[str, Iterable[object]]) -> None:
    """Refuses a 1 that may have been a 1.0 in the stack's file: Pulumi hands over both as 1."""
    for path, given in values.items():
        if path.partition(".")[2].partition(".")[0] in ALL_OR_ONE and any(
            each is not True and each == 1 for each in given
        ):
            raise MisfitError(path, "1 may be one or all of them, since Pulumi makes a 1 of 1.0; null is all of them")
