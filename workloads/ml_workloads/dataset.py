"""A table in the object store, put there by a Job that writes nothing when it is there already, or by its users."""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component, after
from ml_platform.configuration import Resources
from ml_platform.objects import KubernetesObject

from ml_workloads.settings import DatasetSettings
from ml_workloads.table import Table
from ml_workloads.workspace import DATASET, Workspace


@dataclass(frozen=True, kw_only=True)
class DatasetArgs:
    workspace: Workspace
    settings: DatasetSettings


class Dataset(Component):
    token = "ml-platform:workloads:Dataset"  # noqa: S105 - a type token

    table: Table

    def __init__(self, name: str, args: DatasetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.settings = settings = args.settings
        image = args.workspace.platform.image("training")
        uploaded = settings.source == "uploaded"
        version = pods.digest(settings.model_dump(mode="json"), *([] if uploaded else [image]))
        key = pulumi.Output.from_input(settings.key)
        if not uploaded:
            job = self._job(name, args.workspace, image, version)
            key = after(settings.key, KubernetesObject(name, job, self.child(depends_on=args.workspace.ready)))
        self.table = Table(
            bucket=settings.bucket, path=settings.key, key=key, columns=settings.columns, version=version
        )
        self.register_outputs({"key": key, "version": version})

    def _job(self, name: str, workspace: Workspace, image: str, version: str) -> dict[str, Any]:
        load = pods.container(
            "load",
            image,
            Resources(memory="192Mi", memory_limit="512Mi"),
            env=workspace.environment(),
            mounts={"tmp": "/tmp"},  # noqa: S108 - the container's own
            args=self._command(),
        )
        spec = pods.pod(DATASET, [load], volumes=[pods.scratch()])
        return pods.job(f"dataset-{name}", workspace.name, workspace.labels, spec, run=version)

    def _command(self) -> list[Any]:
        flags = {"source": self.settings.source, "bucket": self.settings.bucket, "key": self.settings.key}
        return ["ml_runtime.dataset", *(f"--{name}={value}" for name, value in flags.items())]
