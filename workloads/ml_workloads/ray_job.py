"""A run as KubeRay wants it declared: a RayJob whose Ray is one pod, the head, in which all of the run goes on.

Plain functions from values to manifests. The operator starts Ray in the pod and gives it the command by HTTP, with a
token that it makes for each run: nobody else in the namespace may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods

from ml_workloads.run import RunArgs
from ml_workloads.run_kinds import RUN_LABEL

VERSION = "2.60.0"
"""Of Ray, in the image."""
LONGEST = 47
"""The longest name of a RayJob: KubeRay makes a cluster of it, and Services of that."""
OBJECT_STORE = 78643200
"""Bytes, the least that Ray takes."""
DASHBOARD = 8265


@dataclass(frozen=True, kw_only=True)
class RayJob:
    """How a RayJob is made of a run."""

    operator: pulumi.Output[str]
    """KubeRay's namespace; resolves when it accepts RayJobs."""
    command: str
    processors: int
    """For all trials together."""

    def manifest(self, args: RunArgs, pod: Mapping[str, Any]) -> dict[str, Any]:
        """The RayJob. It keeps no Ray when it is done, and stays itself: what vanishes would be run again."""
        workspace, settings = args.workspace, args.settings
        meta = pods.metadata(args.key, workspace.name, workspace.labels)
        start = {
            "num-cpus": str(self.processors),
            "object-store-memory": str(OBJECT_STORE),
            "dashboard-host": "0.0.0.0",  # noqa: S104 - of the pod, where a policy and the token say who may
        }
        labels = {"app": args.account, RUN_LABEL: args.key, **workspace.labels}
        head = {"rayStartParams": start, "template": {"metadata": {"labels": labels}, "spec": pod}}
        return {
            "apiVersion": "ray.io/v1",
            "kind": "RayJob",
            "metadata": {**meta, "annotations": {"ml-platform/operator": self.operator}},
            "spec": {
                "entrypoint": self.command,
                "submissionMode": "HTTPMode",
                "shutdownAfterJobFinishes": True,
                "activeDeadlineSeconds": settings.timeout,
                "backoffLimit": settings.retries,
                "rayClusterSpec": {"rayVersion": VERSION, "authOptions": {"mode": "token"}, "headGroupSpec": head},
            },
        }

    def entry(self, args: RunArgs) -> dict[str, Any]:
        """A NetworkPolicy: the operator reaches Ray, and nobody else from another namespace."""
        sources = [pods.from_namespace(self.operator)]
        return pods.ingress_from(args.account, args.workspace.name, args.workspace.labels, DASHBOARD, sources)
