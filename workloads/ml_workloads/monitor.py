"""Looks at a deployed model by the clock: a CronJob that compares its requests with the rows that it was judged by.

It is declared like a run, with a description, an identity that may write its verdict and nothing else, and a key; it is
not run by `up`, since there is nothing to look at before somebody has asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject

from ml_workloads import job
from ml_workloads.job import MOUNTS
from ml_workloads.monitor_settings import MonitorSettings
from ml_workloads.run import RunArgs, beside, key
from ml_workloads.workspace import Workspace

IMAGE = "monitor"
SCRATCH = "1Gi"


@dataclass(frozen=True, kw_only=True)
class MonitorArgs:
    workspace: Workspace
    model: str
    settings: MonitorSettings
    requests: str
    """The prefix below which requests are kept."""
    services: Sequence[str]
    """The blocks of `serving` whose requests count."""
    metric: str | None
    """That of the quality, where there are labels."""

    @property
    def described(self) -> dict[str, Any]:
        quality = self.settings.quality
        return {
            "model": self.model,
            "requests": self.requests,
            "services": sorted(self.services),
            "period": self.settings.days,
            "drift": self.settings.drift.model_dump(mode="json"),
            **({"quality": {**quality.model_dump(exclude_none=True), "metric": self.metric}} if quality else {}),
        }


class Monitor(Component):
    token = "ml-platform:workloads:Monitor"  # noqa: S105 - a type token

    def __init__(self, name: str, args: MonitorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        run = _arguments(name, args)
        passive = run.place.passive(self)
        needs = [KubernetesObject(f"{name}-{end}", manifest, passive) for end, manifest in beside(run)]
        KubernetesObject(name, job.by_clock(run, args.settings.every), self.child(depends_on=needs))
        self.register_outputs({"run": run.key})


def name_of(model: str) -> str:
    """The name of the CronJob that looks at a model, and of its account."""
    return f"{model}-monitor"


def _arguments(name: str, args: MonitorArgs) -> RunArgs:
    workspace, settings = args.workspace, args.settings
    run_key = key(name, "", args.described)
    container = pods.container(
        IMAGE,
        workspace.platform.image(IMAGE),
        settings.resources,
        env={**workspace.environment(), "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url},
        mounts=MOUNTS,
        args=["ml_runtime.monitor"],
    )
    return RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=name,
        description=args.described,
        pod=job.pod(run_key, name, SCRATCH, {}, containers=[container]),
        manifest=job.manifest,
        timeout=settings.timeout,
        retries=1,
        leaves="report",
    )
