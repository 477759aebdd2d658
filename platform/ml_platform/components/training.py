"""Distributed training: Kubeflow Trainer on JobSet (v2), the training operator (v1), or both side by side.

This component owns the operators. Jobs, and runtimes beyond those that Trainer brings, belong to the workloads.
"""

from typing import Self

from pydantic import model_validator

from ml_platform.component import after
from ml_platform.components.add_on import AddOn
from ml_platform.configuration import MisfitError, Settings
from ml_platform.handle import TrainingAccess, TrainingOperator
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site


class TrainingSettings(Settings):
    """Kubeflow's operators for distributed training: at least one of the two."""

    v1: bool = False
    """Whether the training operator is installed, which runs PyTorchJobs and the like."""
    v2: bool = False
    """Whether Kubeflow Trainer is installed, which runs TrainJobs by JobSet."""

    @property
    def operator(self) -> TrainingOperator:
        """The one that work is given to."""
        return "trainer" if self.v2 else "training-operator"

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.v1 or self.v2):
            rule = "the block installs nothing: set v2: true for TrainJobs, v1: true for PyTorchJobs, or remove it"
            raise MisfitError("v2", rule, self.v2)
        return self


class Training(AddOn):
    token = "ml-platform:training:Training"  # noqa: S105 - a type token
    block = "training"
    settings = TrainingSettings

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        settings: TrainingSettings = self.of(site.settings)
        if settings.v2:
            self.install("jobset")
            # Trainer watches JobSets from its start, and can end a TrainJob only while the JobSet controller runs.
            self.install("trainer", after=[*self.kinds], over=[*self.ready])
        if settings.v1:
            self.install("training-operator")
        entry = site.releases.entry(settings.operator)
        self.access = TrainingAccess(operator=settings.operator, accepts=after(entry.namespace, *self.ready))
        self.register_outputs({})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        chosen: TrainingSettings = cls.of(settings)
        return Needs(
            bundles=(*(("jobset", "trainer") if chosen.v2 else ()), *(("training-operator",) if chosen.v1 else ()))
        )
