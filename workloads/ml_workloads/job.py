"""A run as a Job: one pod, started again where it crashes, and ended at once by an error of its user's own."""

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform import pods

from ml_workloads.run import FOLDER, Run, RunArgs

MOUNTS = {"description": FOLDER, "tmp": "/tmp"}  # noqa: S108 - the container's own
"""The volumes of the container of every run."""


class Job(Run):
    token = "ml-platform:workloads:Job"  # noqa: S105 - a type token
    kind = "job"


def manifest(args: RunArgs, pod: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    """The Job; `more` is of pods.job_spec."""
    spec = pods.job_spec(args.block, pod, retries=args.retries, deadline=args.timeout, **more)
    metadata = args.place.metadata(args.block, name=args.key)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def pod(key: pulumi.Output[str], account: str, scratch: str, placed: pods.Placement, **more: Any) -> dict[str, Any]:
    """The specification of a pod with the run's description in FOLDER, room for files, and the run's own account."""
    described = {"name": "description", "configMap": {"name": pulumi.Output.concat(key, "-description")}}
    volumes = [described, pods.scratch(size=scratch), *more.pop("volumes", [])]
    return pods.pod(account, **{"automountServiceAccountToken": True, **more, "volumes": volumes}, **placed)


def by_clock(args: RunArgs, schedule: str) -> dict[str, Any]:
    """The same run again by the clock, one at a time; it writes the same verdict, which the next `up` reads."""
    template = manifest(args, args.pod)
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": args.place.metadata(args.block),
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 300,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": {"labels": template["metadata"]["labels"]}, "spec": template["spec"]},
        },
    }
