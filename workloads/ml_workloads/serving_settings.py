"""Settings of served models."""

from typing import Annotated, Literal, Self

from ml_platform.configuration import MisfitError, Name, Resources, Settings, one_rule
from pydantic import Field, model_validator

Count = Annotated[int, Field(ge=0, le=100)]
Version = Annotated[
    Literal["champion"] | Annotated[int, Field(ge=1)], one_rule("allowed: champion, or a number from 1")
]


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
