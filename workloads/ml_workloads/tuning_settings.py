"""A block of `tuning` in ml-platform:workloads: trials of one estimator, of which the best is the candidate."""

from typing import Annotated, Any, Literal, Self

from ml_platform.configuration import MisfitError, Resources, Settings, amount, one_rule
from pydantic import Field, model_validator

from ml_workloads.learning_settings import METRICS, Estimator, Fraction, LearningSettings, Metric, Parameter

LEAST_HEAD = "2Gi"
"""In less, the memory monitor of a RayJob's head kills the trials."""

Two = Field(min_length=2, max_length=2)
Bounds = Annotated[list[float], Two, one_rule("it is a list of two numbers")]
WholeBounds = Annotated[list[int], Two, one_rule("it is a list of two whole numbers")]


class DomainSettings(Settings):
    """What values a parameter may take: one of these."""

    uniform: Bounds | None = None
    log_uniform: Bounds | None = None
    """Each order of magnitude as likely as the others."""
    integer: WholeBounds | None = None
    """Both ends included."""
    choice: Annotated[list[Parameter], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_that_has_values(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("it has one of: uniform, log_uniform, integer, choice")
        bounds = self.uniform or self.log_uniform or self.integer
        if bounds and bounds[0] >= bounds[1]:
            raise MisfitError(given[0], "the first number must be less than the second")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise MisfitError("log_uniform", "both numbers must be above 0")
        return self


XGBOOST: dict[str, DomainSettings] = {
    "max_depth": DomainSettings(integer=[1, 8]),
    "min_child_weight": DomainSettings(choice=[1, 2, 3]),
    "subsample": DomainSettings(uniform=[0.5, 1.0]),
    "eta": DomainSettings(log_uniform=[1e-4, 1e-1]),
}


class TuningSettings(LearningSettings):
    """A search for the best parameters. Trial n of the same seed is always the same."""

    estimator: Estimator = "xgboost"
    search: dict[str, DomainSettings] = XGBOOST
    """The parameters that differ between trials; those in `parameters` are the same for all."""
    trials: Annotated[int, Field(ge=1, le=1000)] = 20
    at_once: Annotated[int, Field(ge=1, le=64)] = 2
    """How many trials run side by side; they share the processors of `resources`."""
    validation: Fraction = 0.2
    """The part of what is not held out that the trials are compared on."""
    metric: Metric | None = None
    """What the best trial is best by; without it, the gate's."""
    runner: Literal["job", "ray-job"] = "job"
    """job: a Job with Ray inside it, for every cluster. ray-job: a RayJob, for clusters that have KubeRay."""
    resources: Resources = Resources(cpu="500m", memory="1Gi", cpu_limit="2", memory_limit="3Gi")
    """Of the run, and of its gate."""

    @property
    def compared_by(self) -> str:
        """The metric of the trials."""
        return str(self.metric or self.rules["metric"])

    @property
    def threads(self) -> int:
        """Of each trial."""
        return max(1, int(amount(self.resources.cpu_limit)) // self.at_once)

    @property
    def space(self) -> dict[str, Any]:
        """The search as plain values."""
        return {name: domain.model_dump(mode="json", exclude_none=True) for name, domain in self.search.items()}

    @model_validator(mode="after")
    def _searches_what_there_is(self) -> Self:
        if not self.search:
            raise MisfitError("search", "it names at least one parameter")
        if self.estimator != "xgboost" and "search" not in self.model_fields_set:
            raise MisfitError("search", f"it must be given for the estimator {self.estimator}")
        if both := sorted(self.search.keys() & self.parameters.keys()):
            raise MisfitError(f"parameters.{both[0]}", "search has it as well; keep one of them", remove=True)
        if self.metric and self.metric not in METRICS[self.task]:
            raise MisfitError("metric", f"for {self.task} there are {' and '.join(METRICS[self.task])}")
        if self.runner == "ray-job" and amount(self.resources.memory_limit) < amount(LEAST_HEAD):
            raise MisfitError("resources.memory_limit", f"a RayJob needs {LEAST_HEAD} or more")
        return self
