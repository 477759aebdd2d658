"""How a deployed model is looked at: a block `monitor` of `models`."""

from typing import Annotated, Self

from ml_platform.configuration import MisfitError, Resources, Settings
from pydantic import Field, model_validator

from ml_workloads import metrics
from ml_workloads.data_settings import Schedule
from ml_workloads.fields import Column, Share, Uri
from ml_workloads.metrics import PROBABILITIES, Metric
from ml_workloads.requests_settings import Days

Rows = Annotated[int, Field(ge=1)]


class DriftSettings(Settings):
    """When requests are others than the rows that the champion was judged by. Numbers and categories are compared by a
    test that fits the number of rows, texts by their length."""

    share: Annotated[Share, Field(gt=0)] = 0.5
    """The model is degraded from this part of the columns on."""
    min_rows: Rows = 100
    """The least number of rows that says anything."""
    rows: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000
    """So many rows at most, the newest; they are held in memory."""


class QualitySettings(Settings):
    """How often the champion was right, by labels that come later."""

    labels: Uri
    """Where labels are: an object, or a prefix below which more come. Each has the id of an answer and, in a column of
    the target's name, what was right; a column `row` tells rows of one request apart."""
    id: Column = "id"
    """The column with the id of the answer."""
    metric: Metric | None = None
    """The metric; without it, the gate's, or the first of the task where that one needs probabilities."""
    at_least: float | None = None
    """The model is degraded below it, for a metric of which more is better."""
    at_most: float | None = None
    """The model is degraded above it, for a metric of which less is better."""
    min_rows: Rows = 50
    """The least number of labelled answers that says anything."""

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if self.at_least is not None and self.at_most is not None:
            raise MisfitError("at_most", "it has one of at_least and at_most; remove one", remove=True)
        if self.metric in PROBABILITIES:
            raise MisfitError("metric", "it needs probabilities, and requests are kept with what was answered alone")
        if self.metric and (wrong := metrics.misfit(self.metric, self.at_least, self.at_most)):
            raise wrong
        return self


class MonitorSettings(Settings):
    """When a deployed model is looked at, and what makes it degraded. What comes of it is an MLflow run of the model's
    experiment, and the tag ml-platform.degraded of the version."""

    every: Schedule = "0 4 * * *"
    """When it is looked at."""
    period: Days = "7d"
    """How far back."""
    drift: DriftSettings = DriftSettings()
    quality: QualitySettings | None = None
    resources: Resources = Resources(cpu="100m", memory="512Mi", cpu_limit="1", memory_limit="1Gi")
    """Of a look."""
    timeout: Annotated[int, Field(ge=60, le=86400)] = 1800
    """The seconds that a look may take."""

    @property
    def days(self) -> int:
        return int(self.period.removesuffix("d"))
