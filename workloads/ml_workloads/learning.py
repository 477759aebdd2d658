"""A run that leaves a candidate of a model: a training in a Job or over several workers, or a search by Ray in a Job or
in a RayJob.

Functions from settings to the arguments of a run. What the pod of an image of a user's own is made of is in
image_job.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ml_platform import pods
from ml_platform.component import Component

from ml_workloads import image_job, job, script
from ml_workloads.job import MOUNTS, Job
from ml_workloads.learning_settings import ImageLearningSettings, LearningSettings
from ml_workloads.model_settings import ModelSettings
from ml_workloads.packages import NONE, TRAINING, TUNING, Packages
from ml_workloads.ray_job import Ray, RayJob
from ml_workloads.run import FOLDER, Manifest, Run, RunArgs, key
from ml_workloads.run_settings import JobSettings, RaySettings
from ml_workloads.settings import Learning
from ml_workloads.table import Table
from ml_workloads.torch_settings import TorchSettings
from ml_workloads.train_job import PyTorchJob, TrainJob, Workers
from ml_workloads.workspace import Workspace

TRAIN, SCRIPT, WORKER = "ml_runtime.train", "ml_runtime.script", "ml_runtime.worker"
"""The programs of a run: the one that trains or tunes by an estimator's name, the one that runs a file, and the one
that starts either in each process of a worker."""


@dataclass(frozen=True, kw_only=True)
class LearningArgs:
    workspace: Workspace
    table: Table
    settings: Learning
    model: ModelSettings
    packages: Packages = NONE
    """Those of the model."""


@dataclass(frozen=True, kw_only=True)
class _Way:
    """How a candidate is made."""

    image: str
    """The reference of the image that makes it."""
    steps: Mapping[str, Any]
    """The containers of the pod, and what they need of it."""
    manifest: Manifest
    what: Mapping[str, Any]
    """All of it that decides the candidate."""


def learn(name: str, args: LearningArgs, parent: Component) -> Run:
    """Declares the run as a child of `parent`."""
    settings = args.settings
    if isinstance(settings, JobSettings):
        return Job(name, _arguments(name, args, _training(settings, args)), parent.child())
    if isinstance(settings, TorchSettings):
        return _by_workers(name, args, settings, parent)
    search = _of_platform(args, TUNING, _searched(settings, args))
    platform = args.workspace.platform
    if settings.runner == "job" or platform.ray is None:  # there is one: capabilities.check
        return Job(name, _arguments(name, args, search), parent.child())
    command = " ".join(["python", "-m", *_program(settings)])
    ray = Ray(operator=platform.ray, command=command, processors=settings.at_once * settings.threads)
    run = _arguments(name, args, replace(search, manifest=ray.manifest))
    return RayJob(name, replace(run, beside={"entry": ray.entry(run)}), parent.child())


def _by_workers(name: str, args: LearningArgs, settings: TorchSettings, parent: Component) -> Run:
    access = args.workspace.platform.training
    assert access is not None  # noqa: S101 - capabilities.check
    workers = Workers(
        accepts=access.accepts,
        count=settings.workers,
        processes=settings.processes_each,
        resources=pods.resource_sizes(settings.resources),
    )
    if settings.image:
        return _by_images(name, args, settings, replace(workers, ends=image_job.ends()), parent)
    way = _of_platform(args, TRAINING, settings.together)
    if access.operator == "training-operator":
        run = _arguments(name, args, replace(way, manifest=workers.pytorch_job))
        return PyTorchJob(name, run, parent.child())
    run = _arguments(name, args, replace(way, manifest=workers.train_job))
    return TrainJob(name, replace(run, beside={"runtime": workers.runtime(run)}), parent.child())


def _by_images(name: str, args: LearningArgs, settings: TorchSettings, workers: Workers, parent: Component) -> Run:
    """By an image of a user's own in each worker. What they read must be what the look has found: nobody compares."""
    way = _of_image(settings, args)
    together = replace(way, manifest=workers.train_job, what={**way.what, **settings.together})
    run = _arguments(name, args, together)
    steps = image_job.steps(
        args.workspace, settings, args.packages, group=workers.group(run.key), worker=workers.worker
    )
    seen = {"sha256": args.table.sha256} if args.table.sha256 is not None else {}
    told = {**run.description, "data": {**args.table.described, **seen}}
    run = replace(run, pod={**run.pod, **steps, "volumes": run.pod["volumes"]}, description=told)
    return TrainJob(name, replace(run, beside={"runtime": workers.runtime(run)}), parent.child())


def _training(settings: JobSettings, args: LearningArgs) -> _Way:
    if settings.image is None:
        return _of_platform(args, TRAINING, {"folds": settings.folds} if settings.folds else {})
    return _of_image(settings, args)


def _of_image(settings: ImageLearningSettings, args: LearningArgs) -> _Way:
    command = {"command": list(settings.command)} if settings.command else {}
    return _Way(
        image=str(settings.image),
        steps=image_job.steps(args.workspace, settings, args.packages),
        manifest=image_job.manifest,
        what={"image": settings.image, **command},
    )


def _of_platform(args: LearningArgs, image: str, what: Mapping[str, Any]) -> _Way:
    """By one container with that image of the platform's."""
    reference = args.workspace.platform.image(args.packages.image(image))
    return _Way(
        image=reference,
        steps={"containers": [_container(args, reference, image)]},
        manifest=job.manifest,
        what=what,
    )


def _arguments(name: str, args: LearningArgs, way: _Way) -> RunArgs:
    workspace, settings, table = args.workspace, args.settings, args.table
    files = _files(name, settings)
    what = {**_what(name, args), **way.what}
    run_key = key(name, table.version, what, table.what, files, *args.packages.decisive)
    return RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=f"run-{name}",
        description={
            **what,
            **_patience(settings),
            "data": table.described,
            "code_version": way.image.partition("@")[2],
        },
        files=files,
        pod=job.pod(
            run_key,
            f"run-{name}",
            settings.scratch,
            workspace.platform.placed(settings.pool),
            **way.steps,
        ),
        manifest=way.manifest,
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
    program = [SCRIPT, f"{FOLDER}/{_base(settings.script)}"] if settings.script else [TRAIN]
    return [WORKER, *program] if isinstance(settings, TorchSettings) else program


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _what(name: str, args: LearningArgs) -> dict[str, Any]:
    """All that decides the candidate, but for the data."""
    settings = args.settings
    own = {"estimator": settings.program(args.table.what["task"])} if settings.by_name else {}
    return {"experiment": settings.model or name, "parameters": settings.parameters, "seed": settings.seed, **own}


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
    """How a run is done, which is no reason for a new one."""
    if isinstance(settings, TorchSettings) and settings.checkpoints:
        return {"checkpoints": settings.checkpoints}
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
