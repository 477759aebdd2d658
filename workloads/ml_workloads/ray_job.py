"""A run as a RayJob of KubeRay, whose Ray is one pod, the head, in which all of the run goes on.

The operator starts Ray in the pod and gives it the command by HTTP, with a token that it makes for each run: nobody
else in the namespace may. Operators before 1.6 make none, and the network policy alone keeps others out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import network

from ml_workloads.run import Run, RunArgs
from ml_workloads.run_kinds import RUN_LABEL

VERSION = "2.60.0"
"""The version of Ray in the image."""
OBJECT_STORE = 78643200
"""Bytes, the least that Ray takes."""
DASHBOARD = 8265
HEALTH = {"httpGet": {"path": "/api/gcs_healthz", "port": DASHBOARD}, "periodSeconds": 5, "timeoutSeconds": 5}
"""What Ray answers without a token. KubeRay's own probes run wget in the container, which an image need not have."""
PROBES = {"readinessProbe": HEALTH, "livenessProbe": {**HEALTH, "initialDelaySeconds": 30, "failureThreshold": 120}}


class RayJob(Run):
    token = "ml-platform:workloads:RayJob"  # noqa: S105 - a type token
    kind = "ray-job"


@dataclass(frozen=True, kw_only=True)
class Ray:
    """How a RayJob is made of a run."""

    operator: pulumi.Output[str]
    """KubeRay's namespace; resolves when it accepts RayJobs."""
    command: str
    processors: int
    """For all trials together."""

    def manifest(self, args: RunArgs, pod: Mapping[str, Any]) -> dict[str, Any]:
        """The RayJob. It keeps no Ray when it is done, and stays itself: what vanishes would be run again."""
        start = {
            "num-cpus": str(self.processors),
            "object-store-memory": str(OBJECT_STORE),
            "dashboard-host": "0.0.0.0",  # noqa: S104 - of the pod, where a policy and the token say who may
        }
        labels = {"app": args.account, RUN_LABEL: args.key, **args.place.labels}
        ray, *others = pod["containers"]
        probed = {**pod, "containers": [{**ray, **PROBES}, *others]}
        head = {"rayStartParams": start, "template": {"metadata": {"labels": labels}, "spec": probed}}
        return {
            "apiVersion": "ray.io/v1",
            "kind": "RayJob",
            "metadata": {
                **args.place.metadata(args.block, name=args.key),
                "annotations": {"ml-platform/operator": self.operator},
            },
            "spec": {
                "entrypoint": self.command,
                "submissionMode": "HTTPMode",
                "shutdownAfterJobFinishes": True,
                "activeDeadlineSeconds": args.timeout,
                "backoffLimit": args.retries,
                "rayClusterSpec": {"rayVersion": VERSION, "authOptions": {"mode": "token"}, "headGroupSpec": head},
            },
        }

    def entry(self, args: RunArgs) -> dict[str, Any]:
        """A NetworkPolicy: the operator reaches Ray, and nobody else from another namespace."""
        sources = [network.from_namespace(self.operator)]
        return network.ingress_from(args.account, args.place.namespace, args.place.labels, DASHBOARD, sources)
