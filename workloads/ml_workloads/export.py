"""A run that puts the files of a model's version on a volume: a Job that has the volume, and no key of any store."""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component

from ml_workloads import job
from ml_workloads.export_settings import ExportSettings
from ml_workloads.job import MOUNTS, Job
from ml_workloads.packages import TRAINING
from ml_workloads.run import RunArgs, key
from ml_workloads.workspace import Workspace

FILES = "files"
"""The name of what it leaves: the URI of the folder with the files."""
VOLUME, FOLDER = "volume", "/mnt/volume"


@dataclass(frozen=True, kw_only=True)
class ExportArgs:
    workspace: Workspace
    settings: ExportSettings
    version: pulumi.Input[str]
    """That of the model."""


def export(name: str, args: ExportArgs, parent: Component) -> pulumi.Output[str]:
    """Declares the run as a child of `parent`; where the files are when all are there."""
    workspace, settings = args.workspace, args.settings
    what = {"model": settings.model, "output": settings.output}
    run_key = key(name, args.version, what)
    run = RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=f"run-{name}",
        description={**what, "version": args.version, "folder": FOLDER},
        pod=job.pod(
            run_key,
            f"run-{name}",
            settings.scratch,
            workspace.platform.placed(settings.pool),
            containers=[_container(args)],
            volumes=[pods.claimed(VOLUME, settings.claim)],
        ),
        manifest=job.manifest,
        timeout=settings.timeout,
        retries=settings.retries,
        leaves=FILES,
    )
    return Job(name, run, parent.child()).outcome.output(FILES)


def _container(args: ExportArgs) -> dict[str, Any]:
    platform = args.workspace.platform
    return pods.container(
        "export",
        platform.image(TRAINING),
        args.settings.resources,
        env={"MLFLOW_TRACKING_URI": platform.mlflow_url},
        mounts={**MOUNTS, VOLUME: FOLDER},
        args=["ml_runtime.export"],
    )
