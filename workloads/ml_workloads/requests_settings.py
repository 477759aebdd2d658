"""Settings of requests that are kept: where those of all served models lie, and what of each one's is kept."""

from typing import Annotated, Self

from ml_platform.configuration import MisfitError, Settings
from pydantic import AfterValidator, Field, model_validator

from ml_workloads.fields import Column, Prefix

Days = Annotated[str, Field(pattern=r"^[1-9]\d{0,3}d$", description="A number of days: 30d.")]


def _once(columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(columns)) < len(columns):
        raise ValueError("a column is named twice")
    return columns


SomeColumns = Annotated[tuple[Column, ...], Field(strict=False), AfterValidator(_once)]


class RequestsSettings(Settings):
    """Where the requests of served models are kept, as parquet by service, version and day, and how they get there: a
    model server writes them to its own disk, and a collector takes them from there."""

    uri: Prefix
    """The prefix below which they lie, in one of the platform's buckets."""
    every: Annotated[int, Field(ge=1, le=3600)] = 60
    """The seconds from one batch of a replica to the next; under load a batch is sooner full."""


class KeptSettings(Settings):
    """What is kept of the requests to a model, and of its answers."""

    sample: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The part of all requests that is kept."""
    drop: SomeColumns = ()
    """Columns of requests and answers that are not kept."""
    hash: SomeColumns = ()
    """Columns of which a hash with the stack's secret ml-platform:requests_key is kept, so that equal values are equal
    and none can be read."""
    keep: Days = "30d"
    """The time after which a day is removed."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if both := sorted({*self.hash} & {*self.drop}):
            raise MisfitError("hash", f"{both[0]!r} is in `drop` too; keep it in one of them")
        return self

    @property
    def days(self) -> int:
        return int(self.keep.removesuffix("d"))
