"""What runs can be, as the Kubernetes API shows them: a Job, a SparkApplication of either operator, a RayJob, a
TrainJob or a PyTorchJob.

For each: when it has ended and how, and which pods it runs in. The rest of a run's life is the business of run_outcome.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ml_platform.kube import Object

RunKindName = Literal["job", "kubeflow", "stackable", "ray-job", "train-job", "pytorch-job"]
RUN_LABEL = "ml-platform/run"
"""The label of pods whose operator gives them none that is known beforehand."""


@dataclass(frozen=True, kw_only=True)
class End:
    """Of a run: why it failed, if it did."""

    failure: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunKind:
    """One kind of object that is a run."""

    api_version: str
    kind: str
    pods: str
    """Labels of the pods that say what happens; the run's name goes into them."""
    end: Callable[[Object], End | None]
    """How a run has ended, if it has."""


def condition(job: Object, kind: str) -> Object | None:
    conditions: list[Object] = job.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind and each["status"] == "True"), None)


def _job_end(job: Object) -> End | None:
    if failed := condition(job, "Failed"):
        if failed.get("reason") == "PodFailurePolicy":
            return End(failure="another try would end the same way")
        return End(failure=failed.get("message") or failed.get("reason", ""))
    return End() if condition(job, "Complete") else None


def _kubeflow_end(application: Object) -> End | None:
    state = application.get("status", {}).get("applicationState", {})
    if state.get("state") in ("FAILED", "SUBMISSION_FAILED"):
        return End(failure=state.get("errorMessage") or "its driver failed")
    return End() if state.get("state") == "COMPLETED" else None


def _stackable_end(application: Object) -> End | None:
    phase = application.get("status", {}).get("phase")
    if phase == "Failed":
        return End(failure="its driver failed")
    return End() if phase == "Succeeded" else None


def _ray_end(job: Object) -> End | None:
    status = job.get("status", {})
    phase, message = status.get("jobDeploymentStatus"), status.get("message") or status.get("reason")
    if phase in ("Failed", "ValidationFailed"):
        return End(failure=message or "Ray gives no reason")
    if phase != "Complete":
        return None
    return End() if status.get("jobStatus") == "SUCCEEDED" else End(failure=message or "it was stopped")


def _by_conditions(good: str) -> Callable[[Object], End | None]:
    """The end of what has the condition Failed, or this one, when it is over."""

    def end(job: Object) -> End | None:
        if failed := condition(job, "Failed"):
            return End(failure=failed.get("message") or failed.get("reason", ""))
        return End() if condition(job, good) else None

    return end


KINDS: Mapping[RunKindName, RunKind] = {
    "job": RunKind(
        api_version="batch/v1",
        kind="Job",
        pods="batch.kubernetes.io/job-name={}",
        end=_job_end,
    ),
    "kubeflow": RunKind(
        api_version="sparkoperator.k8s.io/v1beta2",
        kind="SparkApplication",
        pods="sparkoperator.k8s.io/app-name={},spark-role=driver",
        end=_kubeflow_end,
    ),
    "stackable": RunKind(
        api_version="spark.stackable.tech/v1alpha1",
        kind="SparkApplication",
        pods="app.kubernetes.io/instance={},spark-role=driver",
        end=_stackable_end,
    ),
    "ray-job": RunKind(
        api_version="ray.io/v1",
        kind="RayJob",
        pods=f"{RUN_LABEL}={{}}",
        end=_ray_end,
    ),
    "train-job": RunKind(
        api_version="trainer.kubeflow.org/v1alpha1",
        kind="TrainJob",
        pods="jobset.sigs.k8s.io/jobset-name={}",
        end=_by_conditions("Complete"),
    ),
    "pytorch-job": RunKind(
        api_version="kubeflow.org/v1",
        kind="PyTorchJob",
        pods="training.kubeflow.org/job-name={}",
        end=_by_conditions("Succeeded"),
    ),
}
