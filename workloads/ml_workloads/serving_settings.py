"""Settings that all served models have: how far they grow, when they are ready, what they may take.

Plain values. What answers is in source_settings.py; what a serving mode can't do of it is refused in capabilities.py,
which knows the mode.
"""

from collections.abc import Collection
from typing import Annotated, Literal, Self

from ml_platform.configuration import MisfitError, Settings
from pydantic import Field, model_validator

from ml_workloads.fields import Pool, WorkResources
from ml_workloads.requests_settings import KeptSettings
from ml_workloads.transformer_settings import TransformerSettings

Count = Annotated[int, Field(ge=0, le=100)]
ScaleMetric = Literal["concurrency", "rps", "cpu", "memory"]
SCALE_TARGETS: dict[ScaleMetric, int] = {"concurrency": 20, "rps": 100, "cpu": 80, "memory": 80}
Origin = Annotated[str, Field(pattern=r"^(\*|https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:\d{1,5})?)$")]
"""The scheme, the host and the port of a web page, as a browser tells them; `*` is any."""
OF_REQUESTS: tuple[ScaleMetric, ...] = ("concurrency", "rps")
"""What Knative scales by; a HorizontalPodAutoscaler scales by the others."""


class CanarySettings(Settings):
    """Something else of the same kind, tried on a part of the requests. Promote it: name it in the block itself, and
    drop this one. Roll back: drop this block."""

    percent: Annotated[int, Field(ge=1, le=99)] = 10
    """Of all requests."""


class ProbeSettings(Settings):
    """How often a model server is asked how it is, and what is made of its silence."""

    period: Annotated[int, Field(ge=1, le=300)] = 5
    """Seconds from one question to the next."""
    timeout: Annotated[int, Field(ge=1, le=60)] = 5
    """Seconds in which it must answer."""
    failures: Annotated[int, Field(ge=1, le=600)] = 3
    """How many in a row count."""


class ServingSettings(Settings):
    """A served model, at one URL whatever is changed here."""

    min_replicas: Count = 1
    """Of each version. 0 lets it scale to zero, in serving mode knative; the first request then waits for a start.
    From 2 on, a drain of nodes takes one at a time."""
    max_replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """Of each version. In serving mode standard more than min_replicas needs the cluster's metrics server."""
    container_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Requests at once that one replica is given at most, in serving mode knative; others wait. null: no limit."""
    scale_metric: ScaleMetric | None = None
    """What decides how many replicas there are: concurrency (requests at once) or rps (requests a second) in serving
    mode knative, cpu or memory (each in percent of what is requested) in serving mode standard. Without it, the first
    of the mode."""
    scale_target: Annotated[int, Field(ge=1, le=10000)] | None = None
    """How much of the metric is enough for one replica. Without it: concurrency 20, rps 100, cpu and memory 80."""
    readiness: ProbeSettings | None = None
    """When a replica gets requests. Without it: asked each second, out after two minutes of silence."""
    liveness: ProbeSettings | None = None
    """When a replica is started again, once it was ready. Without it, when its process ends."""
    timeout: Annotated[int, Field(ge=30, le=3600)] = 300
    """Seconds that new replicas may take until they answer."""
    resources: WorkResources = WorkResources(cpu="100m", memory="384Mi", cpu_limit="1", memory_limit="1Gi")
    """Of each replica."""
    pool: Pool = None
    """The node pool that all replicas run on."""
    transformer: TransformerSettings | None = None
    """What is before and after the model."""
    origins: Annotated[tuple[Origin, ...], Field(strict=False)] = ()
    """The web pages whose programs may ask the model in a browser, by scheme and host: https://app.example.com; `*` are
    all. Without any, its own page may."""
    requests: KeptSettings | None = None
    """What is kept of its requests and answers, where `requests` of ml-platform:workloads says; without the block,
    nothing is. Of a model with a transformer, it is what the model itself is asked."""

    @property
    def own_server(self) -> bool:
        """Whether the platform's own model server answers."""
        return True

    @property
    def answers_browsers(self) -> bool:
        """Whether what gets the requests first is the platform's own."""
        return self.transformer.script is not None if self.transformer else self.own_server

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise MisfitError("min_replicas", f"it must not exceed max_replicas, which is {self.max_replicas}")
        if self.scale_target and self.scale_metric in ("cpu", "memory") and self.scale_target > 100:
            raise MisfitError("scale_target", f"{self.scale_metric} is in percent of what is requested: at most 100")
        if "*" in self.origins and len(self.origins) > 1:
            raise MisfitError("origins", "`*` are all: name it alone, or the pages one by one")
        if self.origins and not self.answers_browsers:
            rule = (
                "browsers are answered by the platform's model server and by a transformer's `script`; remove it, and "
            )
            raise MisfitError("origins", f"{rule}have your own server answer them", remove=True)
        limit = self.container_concurrency
        if limit and self.scale_metric in (None, "concurrency") and (self.scale_target or 0) > limit:
            raise MisfitError("scale_target", f"one replica gets no more than container_concurrency, which is {limit}")
        return self


def check_names(blocks: Collection[str]) -> None:
    """Raises MisfitError where a block has the name of what stands for another one in the cluster."""
    for name in blocks:
        parts = [f"{each}-{part}" for each in (name, f"{name}-canary") for part in ("predictor", "transformer")]
        for taken in (f"{name}-canary", f"canary-{name}", *parts):
            if taken in blocks:
                raise MisfitError(
                    f"serving.{taken}", f"block {name!r} makes things of this name; give one another name"
                )
