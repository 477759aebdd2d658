"""The gate: judges a candidate in the image that will serve it, and registers what it accepts.

It is a run of its own. Its key carries the candidate's, the rules and the serving image: other rules or another image
are a new judgement of the same candidate, and nothing is trained for it. The candidates of several runs for one model
are judged one after the other, each against the champion that the one before has left.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.configuration import Resources

from ml_workloads import job, script
from ml_workloads.job import MOUNTS, Job
from ml_workloads.learning_settings import BoundedSettings
from ml_workloads.model_settings import ModelSettings, is_program
from ml_workloads.packages import NONE, SERVING, Packages
from ml_workloads.run import Run, RunArgs, key
from ml_workloads.run_outcome import RunOutcome, shown
from ml_workloads.table import Table
from ml_workloads.workspace import Workspace

CODE = "/opt/ml-platform"
COPY = Resources(cpu="10m", memory="16Mi", cpu_limit="1", memory_limit="64Mi")
METRIC = "metric.py"


@dataclass(frozen=True, kw_only=True)
class GateArgs:
    workspace: Workspace
    model: str
    """The name of the registered model."""
    rules: ModelSettings
    packages: Packages = NONE
    """Those of the model."""
    candidate: Run
    settings: BoundedSettings
    """The settings of the candidate's run."""
    table: Table
    promotes: bool = True
    """Whether an accepted version is champion at once: nothing is there that has to serve it first."""
    before: pulumi.Output[str] | None = None
    """The champion that the gate before this one has left, where several runs have candidates for the model."""

    @property
    def image(self) -> str:
        """The reference of the image that will serve the model."""
        return self.workspace.platform.image(self.packages.image(SERVING))


class Gate(Component):
    token = "ml-platform:workloads:Gate"  # noqa: S105 - a type token

    champion: pulumi.Output[str]
    """The version that is to serve all after the verdict."""
    outcome: RunOutcome

    def __init__(self, name: str, args: GateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        run = Job(f"{name}-gate", _arguments(f"{name}-gate", args), self.child())
        self.outcome = run.outcome
        self.champion = run.outcome.output("champion")
        _warn_of_refusal(name, args, self)
        self.register_outputs({"champion": self.champion})


def _arguments(name: str, args: GateArgs) -> RunArgs:
    workspace, settings = args.workspace, args.settings
    rules, files = args.rules.rules(args.table.what["task"]), {}
    if is_program(rules["metric"]):
        files = {METRIC: script.text(f"models.{args.model}.gate.metric", str(rules["metric"]))}
        rules = {**rules, "metric": METRIC}
    what = {"model": args.model, "gate": rules, "image": args.image}
    run_key = key(name, pulumi.Output.all(args.candidate.judged, args.before), what, files)
    return RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=name,
        description={
            **what,
            "candidate": args.candidate.outcome.output("model"),
            **({} if args.promotes else {"promotes": False}),
            **({} if args.before is None else {"before": args.before}),
        },
        files=files,
        pod=_pod(args, run_key, name),
        manifest=job.manifest,
        timeout=settings.timeout,
        retries=settings.retries,
        leaves="champion",
    )


def _pod(args: GateArgs, run_key: pulumi.Output[str], account: str) -> dict[str, Any]:
    """The serving image as it is; the gate's own code comes out of the image that has it."""
    platform, settings = args.workspace.platform, args.settings
    copy = pods.container(
        "code",
        platform.image("training"),
        COPY,
        mounts={"code": "/code"},
        command=["cp", "-r", f"{CODE}/ml_runtime", "/code"],
    )
    gate = pods.container(
        "gate",
        args.image,
        settings.resources.model_copy(update={"gpu": 0}),  # the serving image computes on processors
        env={"MLFLOW_TRACKING_URI": platform.mlflow_url, "PYTHONPATH": CODE, "HOME": MOUNTS["tmp"]},
        mounts={**MOUNTS, "code": CODE},
        command=["tini", "--", "python", "-m", "ml_runtime.register"],
    )
    return job.pod(
        run_key,
        account,
        settings.scratch,
        platform.placed(settings.pool),
        initContainers=[copy],
        containers=[gate],
        volumes=[pods.scratch("code", "16Mi")],
    )


def _warn_of_refusal(name: str, args: GateArgs, gate: Gate) -> None:
    def warn(verdict: list[Any]) -> None:
        accepted, rule, reason, numbers, version = verdict
        if accepted is False:
            pulumi.log.warn(
                f"The gate refused the candidate of run {name} by its rule {rule}: {reason} ({shown(numbers)}). "
                f"Version {version} of model {args.model} stays the champion.",
                gate.outcome,
            )

    outcome = gate.outcome
    found = pulumi.Output.all(outcome.accepted, outcome.rule, outcome.reason, outcome.numbers, gate.champion)
    found.apply(warn)
