"""The gate: judges a candidate in the image that will serve it, and registers what it accepts as the champion.

It is a run of its own. Its key carries the candidate's, the rules and the images: other rules or another serving image
are a new judgement of the same candidate, and nothing is trained for it.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.configuration import Resources

from ml_workloads.candidate import Candidate
from ml_workloads.learning_settings import LearningSettings
from ml_workloads.run import MOUNTS, Run, RunArgs
from ml_workloads.run_outcome import RunOutcome
from ml_workloads.workspace import Workspace

CODE = "/opt/ml-platform"
COPY = Resources(cpu="10m", memory="16Mi", cpu_limit="1", memory_limit="64Mi")


@dataclass(frozen=True, kw_only=True)
class RegistrationArgs:
    workspace: Workspace
    candidate: Candidate
    settings: LearningSettings
    """Of the block whose candidate it is."""


class Registration(Component):
    token = "ml-platform:workloads:Registration"  # noqa: S105 - a type token

    model: str
    """Name of the registered model."""
    run: str
    """Key of the judgement, and name of its Job and of the ConfigMap with its verdict."""
    outcome: RunOutcome
    """Its result is the version that is champion after the verdict."""

    def __init__(self, name: str, args: RegistrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        settings, candidate = args.settings, args.candidate
        self.model = settings.model or name
        what = {
            "model": self.model,
            "columns": list(candidate.columns),
            "target": settings.target,
            "gate": settings.rules,
            "image": args.workspace.platform.image("mlserver"),
        }
        run = Run(
            self,
            f"{name}-gate",
            RunArgs(
                workspace=args.workspace,
                key=f"{name}-gate-{pods.digest(what, candidate.run, args.workspace.platform.image('training'))}",
                account=f"gate-{name}",
                description={**what, "candidate": candidate.id},
                pod=_pod(args),
                settings=settings,
                result="champion",
            ),
        )
        self.run, self.outcome = run.key, run.outcome
        self.register_outputs({"run": self.run, "version": self.outcome.result})


def _pod(args: RegistrationArgs) -> dict[str, Any]:
    """The serving image as it is; the gate's own code comes out of the image that has it."""
    platform = args.workspace.platform
    copy = pods.container(
        "code",
        platform.image("training"),
        COPY,
        mounts={"code": "/code"},
        command=["cp", "-r", f"{CODE}/ml_runtime", "/code"],
    )
    gate = pods.container(
        "gate",
        platform.image("mlserver"),
        args.settings.resources,
        env={"MLFLOW_TRACKING_URI": platform.mlflow_url, "PYTHONPATH": CODE, "HOME": MOUNTS["tmp"]},
        mounts={**MOUNTS, "code": CODE},
        command=["tini", "--", "python", "-m", "ml_runtime.register"],
    )
    return {"initContainers": [copy], "containers": [gate], "volumes": [pods.scratch("code", "16Mi")]}
