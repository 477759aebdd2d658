"""A table in the object store, put there by a Job that writes nothing when it is there already."""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component, after
from ml_platform.configuration import Resources
from ml_platform.objects import KubernetesObject

from ml_workloads.settings import DatasetSettings
from ml_workloads.workspace import DATASET, Workspace


@dataclass(frozen=True, kw_only=True)
class DatasetArgs:
    workspace: Workspace
    settings: DatasetSettings


class Dataset(Component):
    token = "ml-platform:workloads:Dataset"  # noqa: S105 - a type token

    settings: DatasetSettings
    version: str
    """Changes whenever the data may be others."""
    key: pulumi.Output[str]
    """Where it is in its bucket; resolves when it is there."""

    def __init__(self, name: str, args: DatasetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.settings = args.settings
        workspace, settings = args.workspace, args.settings
        image = workspace.platform.images["training"]
        self.version = pods.digest(settings.model_dump(mode="json"), image)
        load = pods.container(
            "load",
            image,
            Resources(memory="192Mi", memory_limit="512Mi"),
            env=workspace.environment(),
            mounts={"tmp": "/tmp"},  # noqa: S108 - the container's own
            args=self._command(),
        )
        job = pods.job(
            f"dataset-{name}",
            workspace.name,
            workspace.labels,
            pods.pod(DATASET, [load], volumes=[pods.scratch()]),
            run=self.version,
        )
        loaded = KubernetesObject(name, job, self.child(depends_on=workspace.ready))
        self.key = after(settings.key, loaded)
        self.register_outputs({"key": self.key, "version": self.version})

    def _command(self) -> list[Any]:
        flags = {"source": self.settings.source, "bucket": self.settings.bucket, "key": self.settings.key}
        return ["ml_runtime.dataset", *(f"--{name}={value}" for name, value in flags.items())]
