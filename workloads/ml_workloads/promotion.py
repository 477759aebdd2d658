"""The alias `champion` of a model, moved when all that follows it serves the version that the gates have left.

So what the registry calls the champion is what answers: where a version can't be served, the one before keeps both.
"""

from collections.abc import Sequence

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.configuration import Resources

from ml_workloads import job
from ml_workloads.job import MOUNTS, Job
from ml_workloads.run import RunArgs, key
from ml_workloads.workspace import Workspace

CHAMPION = "champion"
SIZE = Resources(cpu="20m", memory="32Mi", cpu_limit="1", memory_limit="128Mi")
TIMEOUT = 300
"""Seconds, retries included."""


def promoted(
    model: str, workspace: Workspace, wanted: pulumi.Input[str], urls: Sequence[pulumi.Output[str]], parent: Component
) -> pulumi.Output[str]:
    """Declares the move as a child of `parent`; the champion afterwards. All `urls` resolve when it serves there."""
    name = f"{model}-{CHAMPION}"
    run_key = key(name, wanted, {"model": model})
    container = pods.container(
        CHAMPION,
        workspace.platform.image("training"),
        SIZE,
        env={"MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
        mounts=MOUNTS,
        args=["ml_runtime.promote"],
    )
    run = RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=name,
        description={"model": model, "version": pulumi.Output.all(wanted, *urls).apply(lambda found: str(found[0]))},
        pod=job.pod(run_key, name, "16Mi", {}, containers=[container]),
        manifest=job.manifest,
        timeout=TIMEOUT,
        retries=2,
        leaves=CHAMPION,
    )
    return Job(name, run, parent.child()).outcome.output(CHAMPION)
