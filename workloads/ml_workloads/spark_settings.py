"""A block of `runs` in ml-platform:workloads with operator spark: one application, whichever operator runs it."""

from typing import Annotated, Literal, Self

from ml_platform.configuration import BucketName, MisfitError, Name, Processors, Settings, one_rule
from pydantic import AfterValidator, Field, model_validator

from ml_workloads.data_settings import LearnedSettings
from ml_workloads.fields import OwnImage, Pool, Prefix, Script, Share

LEAST_MEMORY = 704
"""MiB. Spark starts with no heap below 471 MiB, and takes two thirds of a pod's memory for that."""


def mebibytes(memory: str) -> int:
    return int(memory[:-2]) * (1024 if memory.endswith("Gi") else 1)


def _enough(memory: str) -> str:
    if mebibytes(memory) < LEAST_MEMORY:
        raise ValueError(f"Spark starts with {LEAST_MEMORY}Mi or more")
    return memory


Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[MG]i$"), AfterValidator(_enough)]
Written = Annotated[int | str, one_rule("a class is written as a whole number or a text")]


class DriverSettings(Settings):
    """The pod that runs the program."""

    cpu: Processors = "100m"
    cpu_limit: Processors = "1"
    memory: Memory = "1Gi"
    """Of the whole pod; about two thirds of it are the heap."""


class ExecutorSettings(DriverSettings):
    """The pods that work on the rows."""

    instances: Annotated[int, Field(ge=1, le=1000)] = 1
    max_instances: Annotated[int, Field(ge=1, le=1000)] | None = None
    """With it there are as many as there is work for, from `instances` up to this: dynamic allocation."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_instances is not None and self.max_instances <= self.instances:
            raise MisfitError("max_instances", f"it must exceed instances, which is {self.instances}")
        return self


class TableSettings(LearnedSettings):
    """What is learned from the table that a run leaves; a key that is not given is that of the raw data."""


class SparkSettings(Settings):
    """A table made from raw data by Spark."""

    operator: Literal["spark"]
    data: Name
    """The block of `data` with the raw rows."""
    classes: Annotated[dict[str, Written], Field(min_length=2)] | None = None
    """What each class of the target is written as, by its name in the raw rows; rows of any other class are refused.
    Without it, classes stay as they are written."""
    maximum_refused: Share = 0.01
    """The run fails if a greater part of all rows does not fit the kinds of its columns."""
    output: Prefix | None = None
    """The prefix below which each run leaves its table; without it, `tables/` in the bucket of the data."""
    table: TableSettings = TableSettings()
    script: Script | None = None
    """A program of one's own; it calls ml_runtime.etl.main(change)."""
    application: Annotated[str, Field(pattern=r"^/[-A-Za-z0-9_./]*\.py$")] | None = None
    """The same as a file of the image."""
    image: OwnImage | None = None
    """Without it, the platform's `spark` for Kubeflow's operator, and Stackable's own for that of Stackable."""
    spark_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] | None = None
    """The one in the image; without it, 4.0.4 for Kubeflow's operator and 4.1.1 for Stackable's."""
    driver: DriverSettings = DriverSettings()
    executor: ExecutorSettings = ExecutorSettings()
    pool: Pool = None
    """The node pool that driver and executors run on."""
    event_log: BucketName | None = None
    """A bucket of the platform's object store that keeps what a Spark history server shows."""
    timeout: Annotated[int, Field(ge=30, le=86400)] = 900
    """Seconds after which the run counts as failed."""

    @model_validator(mode="after")
    def _one_program(self) -> Self:
        if self.script and self.application:
            rule = f"there is one program, and script names {self.script}; keep one of them"
            raise MisfitError("application", rule, remove=True)
        return self
