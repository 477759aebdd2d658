"""A run that scores data: a Job in the image that the model's code was trained in, with the packages of the model."""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component

from ml_workloads import job
from ml_workloads.batch_settings import BatchSettings
from ml_workloads.job import MOUNTS, Job
from ml_workloads.packages import NONE, TRAINING, Packages
from ml_workloads.run import RunArgs, key
from ml_workloads.table import Table
from ml_workloads.workspace import Workspace

SCORES = "scores"
"""The name of what it leaves: the prefix of its parts."""


@dataclass(frozen=True, kw_only=True)
class BatchArgs:
    workspace: Workspace
    table: Table
    settings: BatchSettings
    version: pulumi.Input[str]
    """That of the model."""
    packages: Packages = NONE
    """Those of the model."""


def score(name: str, args: BatchArgs, parent: Component) -> pulumi.Output[str]:
    """Declares the run as a child of `parent`; where its parts are when all are there."""
    workspace, settings = args.workspace, args.settings
    what: dict[str, Any] = {"model": settings.model, "output": settings.output}
    if settings.keep:
        what["keep"] = list(settings.keep)
    image = workspace.platform.image(args.packages.image(TRAINING))
    decides = pulumi.Output.all(args.table.version, args.version)
    run_key = key(name, decides, what, args.table.what, *args.packages.decisive)
    run = RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=f"run-{name}",
        description={**what, "data": args.table.described, "version": args.version},
        pod=job.pod(
            run_key,
            f"run-{name}",
            settings.scratch,
            workspace.platform.placed(settings.pool),
            containers=[_container(args, image)],
        ),
        manifest=job.manifest,
        timeout=settings.timeout,
        retries=settings.retries,
        leaves=SCORES,
    )
    return Job(name, run, parent.child()).outcome.output(SCORES)


def _container(args: BatchArgs, image: str) -> dict[str, Any]:
    workspace = args.workspace
    return pods.container(
        "batch",
        image,
        args.settings.resources,
        env={**workspace.environment(), "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
        mounts=MOUNTS,
        args=["ml_runtime.batch"],
    )
