"""Data: a look at what is in the object store, so that changed bytes are another version and start runs.

Data of a Python package, and those whose version the settings name, need no look.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.configuration import Resources
from ml_platform.objects import KubernetesObject

from ml_workloads import dvc, job
from ml_workloads.data_settings import DataSettings
from ml_workloads.job import MOUNTS, Job
from ml_workloads.run import RunArgs, key
from ml_workloads.run_outcome import DIGEST
from ml_workloads.table import Table
from ml_workloads.workspace import Workspace

LOOK = "ml_runtime.dataset"
SIZE = Resources(cpu="100m", memory="192Mi", cpu_limit="1", memory_limit="1Gi")
PATIENCE = 600
"""Seconds that a look may take."""


@dataclass(frozen=True, kw_only=True)
class DataArgs:
    workspace: Workspace
    settings: DataSettings


class Data(Component):
    token = "ml-platform:workloads:Data"  # noqa: S105 - a type token

    table: Table

    def __init__(self, name: str, args: DataArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        settings = args.settings
        described = settings.described
        if settings.dvc:
            described = {**described, "uri": {"dvc": dvc.read(f"data.{name}.dvc", settings.dvc)}}
        version = pulumi.Output.from_input(settings.version or settings.place)
        looked = self._look(f"data-{name}", args) if settings.stored and settings.version is None else None
        if looked is not None:
            version = looked
        self.table = Table(what=described, described=described, version=version, sha256=looked)
        self.register_outputs({"version": version})

    def _look(self, name: str, args: DataArgs) -> pulumi.Output[str]:
        """The digest of what is there, now and whenever it is looked at again."""
        place, settings = args.workspace.place, args.settings
        form = {key: value for key, value in settings.described.items() if key in ("uri", "format", "csv")}
        what: dict[str, Any] = {"data": form}
        if settings.upload:
            what = {"data": {"uri": settings.uri}, "output": settings.upload}
        run_key = key(name, settings.place, what)
        run = RunArgs(
            place=place,
            block=name,
            key=run_key,
            account=name,
            description=what,
            pod=job.pod(run_key, name, "2Gi", {}, containers=[_container(args)]),
            manifest=job.manifest,
            timeout=PATIENCE,
            retries=2,
            leaves=DIGEST,
        )
        look = Job(name, run, self.child())
        if settings.watch and not settings.upload:
            again = job.by_clock(run, settings.watch)
            KubernetesObject(f"{name}-watch", again, self.child(depends_on=[look.outcome]))
        return look.outcome.output(DIGEST)


def _container(args: DataArgs) -> dict[str, Any]:
    workspace = args.workspace
    image = workspace.platform.image("training")
    return pods.container("look", image, SIZE, env=workspace.environment(), mounts=MOUNTS, args=[LOOK])
