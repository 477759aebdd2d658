"""A tuning: trials of one estimator by Ray Tune, and the candidate that is the best of them.

One program, two ways to run it: in a Job that has a Ray of its own inside, or in the Ray that KubeRay starts for it.
"""

from dataclasses import dataclass, replace
from typing import Any

import pulumi
from ml_platform import names, pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject

from ml_workloads import ray_job
from ml_workloads.candidate import Candidate
from ml_workloads.ray_job import RayJob
from ml_workloads.run import MOUNTS, Run, RunArgs
from ml_workloads.table import Table
from ml_workloads.training_job import described, learning
from ml_workloads.tuning_settings import TuningSettings
from ml_workloads.workspace import Workspace

PROGRAM = "ml_runtime.tune"


@dataclass(frozen=True, kw_only=True)
class TuningArgs:
    workspace: Workspace
    table: Table
    settings: TuningSettings


class Tuning(Component):
    token = "ml-platform:workloads:Tuning"  # noqa: S105 - a type token

    candidate: Candidate

    def __init__(self, name: str, args: TuningArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        settings, platform = args.settings, args.workspace.platform
        image = platform.image("tuning")
        what = _what(name, args)
        run = RunArgs(
            workspace=args.workspace,
            key=_key(name, pods.digest(what, args.table.version, image, settings.runner)),
            account=f"tuning-{name}",
            description={
                **described(what, args.table, image),
                "at_once": settings.at_once,
                "threads": settings.threads,
            },
            pod={"containers": [_container(args, image)]},
            settings=settings,
            result="candidate",
        )
        if settings.runner == "ray-job" and platform.ray:  # there is one: fit.check
            ray = RayJob(
                operator=platform.ray,
                command=f"python -m {PROGRAM}",
                processors=settings.at_once * settings.threads,
            )
            run = replace(run, kind="ray-job", manifest=ray.manifest)
            KubernetesObject(f"{name}-entry", ray.entry(run), args.workspace.passive(self))
        outcome = Run(self, name, run).outcome
        self.candidate = Candidate(run=run.key, id=outcome.result, columns=args.table.columns)
        self.register_outputs({"run": run.key, "candidate": outcome.result})


def _key(name: str, digest: str) -> str:
    return f"{names.shortened(name, ray_job.LONGEST - len(digest) - 1)}-{digest}"


def _what(name: str, args: TuningArgs) -> dict[str, Any]:
    """All that it does; how many trials are side by side is no reason for a new run."""
    settings = args.settings
    return {
        **learning(name, args.table, settings),
        "estimator": settings.estimator,
        "search": settings.space,
        "metric": settings.compared_by,
        "trials": settings.trials,
        "validation": settings.validation,
    }


def _container(args: TuningArgs, image: str) -> dict[str, Any]:
    workspace = args.workspace
    return pods.container(
        "tune",
        image,
        args.settings.resources,
        env={**workspace.environment(), "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
        mounts=MOUNTS,
        args=[PROGRAM],
    )
