"""A training over several workers: the blocks of `runs` with operator torch."""

from typing import Annotated, Literal, Self

from ml_platform.configuration import MisfitError
from pydantic import Field, model_validator

from ml_workloads.fields import Prefix, WorkResources
from ml_workloads.learning_settings import ImageLearningSettings


class TorchSettings(ImageLearningSettings):
    """A training in several workers that know each other by torch.distributed: a TrainJob of Kubeflow Trainer, or a
    PyTorchJob where the platform has the training operator alone. The script's `fit` is called in each process, with
    the group joined; the first one's model is the candidate. A run of which a worker is lost starts again with all of
    them. An image of one's own is told the group by the variables that torchrun reads and, where a worker is one
    process, by those of torch.distributed; what the first worker saves is the candidate."""

    operator: Literal["torch"]
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Pods, each with `resources`."""
    processes: Annotated[int, Field(ge=1, le=16)] | None = None
    """Of each worker; without it, one for each of its GPUs, or one."""
    checkpoints: Prefix | None = None
    """A prefix in the object store below which ml_runtime.checkpoints keeps what a run that starts again goes on
    with."""
    resources: WorkResources = WorkResources(cpu="500m", memory="768Mi", cpu_limit="2", memory_limit="4Gi")
    """The resources of each worker, and of the gate."""

    @property
    def processes_each(self) -> int:
        """The processes of each worker."""
        return self.processes or max(1, self.resources.gpu)

    @property
    def together(self) -> dict[str, int]:
        """How many train together, as a run is told."""
        return {"workers": self.workers, "processes": self.processes_each}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for key in ("data", "model"):
            if getattr(self, key) is None:
                raise MisfitError(key, "a run of operator torch has one")
        if self.script is None and self.image is None:
            raise MisfitError("script", "a run of operator torch has one, or an `image` with a program of its own")
        if self.image and self.checkpoints:
            raise MisfitError("checkpoints", "the program of an image has no key of the object store", remove=True)
        return self
