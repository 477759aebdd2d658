"""A training run: what to train on what, and the candidate that it leaves."""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component

from ml_workloads import script
from ml_workloads.candidate import Candidate
from ml_workloads.learning_settings import LearningSettings, TrainingSettings
from ml_workloads.run import FOLDER, MOUNTS, Run, RunArgs
from ml_workloads.table import Table
from ml_workloads.workspace import Workspace

PROGRAM = "train.py"
DEFAULTS = {"classification": "logistic-regression", "regression": "linear-regression"}


@dataclass(frozen=True, kw_only=True)
class TrainingJobArgs:
    workspace: Workspace
    table: Table
    settings: TrainingSettings


class TrainingJob(Component):
    token = "ml-platform:workloads:TrainingJob"  # noqa: S105 - a type token

    candidate: Candidate

    def __init__(self, name: str, args: TrainingJobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        settings, table = args.settings, args.table
        image = args.workspace.platform.image("training")
        program = {PROGRAM: script.text(f"training.{name}.script", settings.script)} if settings.script else {}
        own = {} if program else {"estimator": settings.estimator or DEFAULTS[settings.task]}
        what = {**learning(name, table, settings), **own}
        run = Run(
            self,
            name,
            RunArgs(
                workspace=args.workspace,
                key=f"{name}-{pods.digest(what, table.version, image, program)}",
                account=f"training-{name}",
                description=described(what, table, image),
                program=program,
                pod={"containers": [_container(args, image)]},
                settings=settings,
                result="candidate",
            ),
        )
        self.candidate = Candidate(run=run.key, id=run.outcome.result, columns=table.columns)
        self.register_outputs({"run": run.key, "candidate": run.outcome.result})


def learning(name: str, table: Table, settings: LearningSettings) -> dict[str, Any]:
    """What every run that leaves a candidate does; retries, limits and patience are how, no reason for a new run."""
    return {
        "dataset": {"bucket": table.bucket, "key": table.path},
        "columns": list(table.columns),
        "target": settings.target,
        "task": settings.task,
        "parameters": settings.parameters,
        "held_out": settings.held_out,
        "seed": settings.seed,
        "experiment": name,
        **({"features": list(settings.features)} if settings.features else {}),
    }


def described(what: dict[str, Any], table: Table, image: str) -> dict[str, Any]:
    """The same as the run is told: with the table when it is there, and what runs."""
    known = {"sha256": table.sha256} if table.sha256 else {}
    return {
        **what,
        "dataset": {"bucket": table.bucket, "key": table.key, **known},
        "code_version": image.partition("@")[2],
    }


def _container(args: TrainingJobArgs, image: str) -> dict[str, Any]:
    workspace, settings = args.workspace, args.settings
    command = {"command": ["tini", "--", "python", f"{FOLDER}/{PROGRAM}"]}
    return pods.container(
        "train",
        image,
        settings.resources,
        env={**workspace.environment(), "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
        mounts=MOUNTS,
        **(command if settings.script else {"args": ["ml_runtime.train"]}),
    )
