"""A run in several pods that know each other by torch.distributed: a TrainJob of Kubeflow Trainer, or a PyTorchJob of
the operator before it.

Each pod runs the same program; where the others are, an operator says by variables of its own. A pod that ends by an
error of its user's ends the run, and any other loss starts all pods again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from ml_platform import pods

from ml_workloads.run import Run, RunArgs

OPERATOR = "ml-platform/operator"
TRAINER = "trainer.kubeflow.org"
NODE = "node"
"""The name that Trainer wants for the container and for its job."""
INDEX = "metadata.labels['batch.kubernetes.io/job-completion-index']"
"""Where a pod of a TrainJob is told which worker it is."""
WORKER_NUMBER = "ML_WORKER"
"""The variable that has it, for ml_runtime.finish."""
PORT = "29400"
"""Where the first worker's process listens for the others: Trainer's own choice."""
WORKER = "pytorch"
"""The name that the training operator wants for the container."""


class TrainJob(Run):
    token = "ml-platform:workloads:TrainJob"  # noqa: S105 - a type token
    kind = "train-job"


class PyTorchJob(Run):
    token = "ml-platform:workloads:PyTorchJob"  # noqa: S105 - a type token
    kind = "pytorch-job"


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How either is made of a run."""

    accepts: pulumi.Output[str]
    """Resolves when the operator accepts its jobs."""
    count: int
    processes: int
    """Of each worker."""
    resources: Mapping[str, Any]
    """Of each worker, in whichever of its steps it learns."""
    ends: Mapping[str, Any] = field(default_factory=dict)
    """What pods.job_spec is told of pods that end by more than their own container."""

    @property
    def worker(self) -> dict[str, Any]:
        """The variable that says which worker a pod of a TrainJob is."""
        return {WORKER_NUMBER: {"fieldRef": {"fieldPath": INDEX}}}

    def group(self, key: pulumi.Output[str]) -> dict[str, Any]:
        """The variables by which a program of a user's own finds the others, since Trainer tells the last step of them
        alone: those that torchrun reads, and those of torch.distributed where each worker is one process."""
        number = {"fieldRef": {"fieldPath": INDEX}}
        where = {"MASTER_ADDR": pulumi.Output.concat(key, f"-{NODE}-0-0.", key), "MASTER_PORT": PORT}
        alone = {"RANK": number, "WORLD_SIZE": str(self.count), "LOCAL_RANK": "0", **where}
        return {
            "PET_NNODES": str(self.count),
            "PET_NPROC_PER_NODE": str(self.processes),
            "PET_NODE_RANK": number,
            **{f"PET_{name}": value for name, value in where.items()},
            **(alone if self.processes == 1 else {}),
        }

    def train_job(self, args: RunArgs, _pod: Mapping[str, Any]) -> dict[str, Any]:
        """The TrainJob; its pods are in `runtime`, and how large they are is said here for whoever judges it."""
        reference = {"apiGroup": TRAINER, "kind": "TrainingRuntime", "name": args.key}
        trainer = {"numNodes": self.count, "resourcesPerNode": self.resources}
        spec = {"runtimeRef": reference, "trainer": trainer, "activeDeadlineSeconds": args.timeout}
        return self._declared(args, f"{TRAINER}/v1alpha1", "TrainJob", spec)

    def runtime(self, args: RunArgs) -> dict[str, Any]:
        """The TrainingRuntime of the run alone: one Job with a pod for each worker, in a JobSet."""
        job = pods.job_spec(args.block, _named(args.pod, NODE), retries=0, deadline=args.timeout, **self.ends)
        labels = {**args.place.labels, f"{TRAINER}/trainjob-ancestor-step": "trainer"}
        user_error = {"name": "userError", "action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}
        jobs = [{"name": NODE, "template": {"metadata": {"labels": labels}, "spec": job}}]
        restarts = {"maxRestarts": args.retries, "rules": [user_error]}
        return self._declared(
            args,
            f"{TRAINER}/v1alpha1",
            "TrainingRuntime",
            {
                "mlPolicy": {"numNodes": self.count, "torch": {}},
                "template": {"spec": {"failurePolicy": restarts, "replicatedJobs": jobs}},
            },
        )

    def pytorch_job(self, args: RunArgs, pod: Mapping[str, Any]) -> dict[str, Any]:
        """The PyTorchJob: a master, and all other workers."""
        labels = {"app": args.block, **args.place.labels}
        template = {"metadata": {"labels": labels}, "spec": _named(pod, WORKER)}
        # A code below 128 ends the run, and after any other one the pod starts again.
        each = {"restartPolicy": "ExitCode", "template": template}
        others = {"Worker": {"replicas": self.count - 1, **each}} if self.count > 1 else {}
        spec = {
            "runPolicy": {
                "backoffLimit": args.retries,
                "activeDeadlineSeconds": args.timeout,
                "cleanPodPolicy": "None",
            },
            "pytorchReplicaSpecs": {"Master": {"replicas": 1, **each}, **others},
        }
        return self._declared(args, "kubeflow.org/v1", "PyTorchJob", spec)

    def _declared(self, args: RunArgs, version: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        named = args.place.metadata(args.block, name=args.key)
        metadata = {**named, "annotations": {OPERATOR: self.accepts}}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _named(pod: Mapping[str, Any], name: str) -> dict[str, Any]:
    (container,) = pod["containers"]
    return {**pod, "containers": [{**container, "name": name}]}
