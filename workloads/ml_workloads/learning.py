"""A run that leaves a candidate of a model: a training in a Job, or a search by Ray in a Job or in a RayJob.

Functions from settings to the arguments of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ml_platform import pods
from ml_platform.component import Component

from ml_workloads import job, script
from ml_workloads.job import MOUNTS, Job
from ml_workloads.model_settings import ModelSettings
from ml_workloads.ray_job import Ray, RayJob
from ml_workloads.run import FOLDER, Run, RunArgs, key
from ml_workloads.run_settings import JobSettings, LearningSettings, RaySettings
from ml_workloads.table import Table
from ml_workloads.workspace import Workspace

TRAIN, SCRIPT = "ml_runtime.train", "ml_runtime.script"
"""The programs of a run: the one that trains or tunes by an estimator's name, and the one that runs a file."""


@dataclass(frozen=True, kw_only=True)
class LearningArgs:
    workspace: Workspace
    table: Table
    settings: JobSettings | RaySettings
    model: ModelSettings


def learn(name: str, args: LearningArgs, parent: Component) -> Run:
    """Declares the run as a child of `parent`."""
    settings = args.settings
    if isinstance(settings, JobSettings):
        return Job(name, _arguments(name, args, _trained(settings), "training", job.manifest), parent.child())
    search = _searched(settings, args)
    platform = args.workspace.platform
    if settings.runner == "job" or platform.ray is None:  # there is one: capabilities.check
        return Job(name, _arguments(name, args, search, "tuning", job.manifest), parent.child())
    command = " ".join(["python", "-m", *_program(settings)])
    ray = Ray(operator=platform.ray, command=command, processors=settings.at_once * settings.threads)
    run = _arguments(name, args, search, "tuning", ray.manifest)
    return RayJob(name, replace(run, beside={"entry": ray.entry(run)}), parent.child())


def _arguments(name: str, args: LearningArgs, how: Mapping[str, Any], image: str, manifest: Any) -> RunArgs:
    workspace, settings, table = args.workspace, args.settings, args.table
    files = _files(name, settings)
    what = {**_what(name, args), **how}
    run_key, reference = key(name, table.version, what, table.what, files), workspace.platform.image(image)
    container = _container(args, reference, image)
    return RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=f"run-{name}",
        description={
            **what,
            **_patience(settings),
            "data": table.described,
            "code_version": reference.partition("@")[2],
        },
        files=files,
        pod=job.pod(
            run_key,
            f"run-{name}",
            settings.scratch,
            workspace.platform.placed(settings.pool),
            containers=[container],
        ),
        manifest=manifest,
        timeout=settings.timeout,
        retries=settings.retries,
        leaves="model",
    )


def _files(name: str, settings: LearningSettings) -> dict[str, str]:
    """The program of one's own and its modules, by the names that they have in the pod."""
    paths = dict.fromkeys(settings.modules, "modules") | ({settings.script: "script"} if settings.script else {})
    return {_base(path): script.text(f"runs.{name}.{key}", path) for path, key in paths.items()}


def _program(settings: LearningSettings) -> list[str]:
    """The module that runs, and its arguments."""
    return [SCRIPT, f"{FOLDER}/{_base(settings.script)}"] if settings.script else [TRAIN]


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _what(name: str, args: LearningArgs) -> dict[str, Any]:
    """All that decides the candidate, but for the data."""
    settings = args.settings
    own = {} if settings.script else {"estimator": settings.program(args.table.what["task"])}
    return {"experiment": settings.model or name, "parameters": settings.parameters, "seed": settings.seed, **own}


def _trained(settings: JobSettings) -> dict[str, Any]:
    return {"folds": settings.folds} if settings.folds else {}


def _searched(settings: RaySettings, args: LearningArgs) -> dict[str, Any]:
    return {
        "space": settings.domains,
        "metric": settings.metric or args.model.metric_for(args.table.what["task"]),
        "trials": settings.trials,
        "validation": settings.validation,
        "searcher": settings.searcher,
        "scheduler": settings.scheduler,
    }


def _patience(settings: LearningSettings) -> dict[str, Any]:
    """How a search is done, which is no reason for a new one."""
    if not isinstance(settings, RaySettings):
        return {}
    return {"at_once": settings.at_once, "threads": settings.threads}


def _container(args: LearningArgs, image: str, name: str) -> dict[str, Any]:
    workspace = args.workspace
    return pods.container(
        name,
        image,
        args.settings.resources,
        env={**workspace.environment(), "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
        mounts=MOUNTS,
        args=_program(args.settings),
    )
