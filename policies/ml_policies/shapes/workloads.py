"""The kinds that run pods: where the pods are in them, and what an operator makes containers of. By group and kind, as
data; who looks is pods.py, which also judges what no row here knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes import translated
from ml_policies.shapes.runs import FIRST_GENERATION

Path = tuple[str, ...]
FRAMEWORKS = (
    "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "huggingfaceserver", "pmml",
    "lightgbm", "paddle", "art", "alibi",
)  # fmt: skip
"""KServe's older forms of `model`: each names the server by its key."""
TRANSLATED: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "podSpecPatch": translated.patch,
    "sparkConf": translated.properties,
    "hadoopConf": translated.properties,
}
"""Fields that say in another notation what a pod has."""


def path(text: str) -> Path:
    return tuple(text.split(".")) if text else ()


def fits(found: Path, pattern: Path) -> bool:
    """A star stands for any one step."""
    return len(found) == len(pattern) and all(want in ("*", step) for step, want in zip(found, pattern, strict=True))


@dataclass(frozen=True)
class Workload:
    pods: tuple[str, ...] = ()
    """Places of pod specifications; a star stands for each element or value."""
    containers: tuple[str, ...] = ()
    """Places of single containers; one that is also a pod is a pod and its container in one mapping."""
    completed: bool = False
    """Whether an operator adds what the containers don't say: an image, a security context."""

    @cached_property
    def places(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        return tuple(map(path, self.pods)), tuple(map(path, self.containers))

    def has_pod(self, found: Path) -> bool:
        return any(fits(found, pattern) for pattern in self.places[0])

    def has_container(self, found: Path) -> bool:
        return any(fits(found, pattern) for pattern in self.places[1])


def _rows(group: str, kinds: str, workload: Workload) -> dict[tuple[str, str], Workload]:
    return {(group, kind): workload for kind in kinds.split()}


def _below(prefix: str, places: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}.{place}" if place else prefix for place in places)


def _spark(prefix: str) -> Workload:
    """Of both operators: Stackable's has `podOverrides`, `sparkImage` and a pod that submits, `job`."""
    roles = ("driver", "executor", "job")
    overrides = [f"{role}.{field}.spec" for role in roles for field in ("template", "podOverrides")]
    containers = ("", "sparkImage", *roles)
    return Workload(_below(prefix, ["", *roles, *overrides]), _below(prefix, containers), completed=True)


def _argo(prefix: str) -> Workload:
    templates = ("templates.*", "templateDefaults")
    containers = [f"{each}.{field}" for each in templates for field in ("container", "script")]
    return Workload(_below(prefix, ["", *templates]), _below(prefix, containers))


def _ray(prefix: str) -> Workload:
    pods = ("headGroupSpec.template.spec", "workerGroupSpecs.*.template.spec")
    submitter = ("spec.submitterPodTemplate.spec",) if prefix == "spec.rayClusterSpec" else ()
    return Workload((*_below(prefix, pods), *submitter), (f"{prefix}.autoscalerOptions",))


PARTS = ("predictor", "transformer", "explainer")
TEMPLATED = Workload(("spec.template.spec",))
JOB_SETS = "spec.replicatedJobs.*.template.spec.template.spec"
RUNTIME = Workload((f"spec.template.{JOB_SETS}",))

WORKLOADS: Mapping[tuple[str, str], Workload] = {
    **_rows("", "Pod", Workload(("spec",))),
    **_rows("", "PodTemplate", Workload(("template.spec",))),
    **_rows("", "ReplicationController", TEMPLATED),
    **_rows("apps", "Deployment StatefulSet DaemonSet ReplicaSet", TEMPLATED),
    **_rows("batch", "Job", TEMPLATED),
    **_rows("batch", "CronJob", Workload(("spec.jobTemplate.spec.template.spec",))),
    **_rows("serving.knative.dev", "Service Configuration", TEMPLATED),
    **_rows("serving.knative.dev", "Revision", Workload(("spec",))),
    **_rows("serving.kserve.io", "InferenceService", Workload(
        (*_below("spec", PARTS), *(f"spec.{part}.workerSpec" for part in PARTS)),
        tuple(f"spec.{part}.{form}" for part in PARTS for form in ("model", *FRAMEWORKS)),
        completed=True,
    )),
    **_rows("serving.kserve.io", "ServingRuntime ClusterServingRuntime", Workload(("spec", "spec.workerSpec"))),
    **_rows("serving.kserve.io", "ClusterStorageContainer", Workload((), ("spec.container",), completed=True)),
    **_rows("serving.kserve.io", "LLMInferenceService LLMInferenceServiceConfig", Workload(
        ("spec.template", "spec.worker", "spec.prefill.template", "spec.prefill.worker"), completed=True
    )),
    **_rows("sparkoperator.k8s.io", "SparkApplication", _spark("spec")),
    **_rows("sparkoperator.k8s.io", "ScheduledSparkApplication", _spark("spec.template")),
    **_rows("spark.stackable.tech", "SparkApplication", _spark("spec")),
    **_rows("trainer.kubeflow.org", "TrainJob", Workload(
        ("spec.podTemplateOverrides.*.spec", "spec.podSpecOverrides.*"),
        ("spec.trainer", "spec.initializer.dataset", "spec.initializer.model"),
        completed=True,
    )),
    **_rows("trainer.kubeflow.org", "TrainingRuntime ClusterTrainingRuntime", RUNTIME),
    **_rows("jobset.x-k8s.io", "JobSet", Workload((JOB_SETS,))),
    **_rows("kubeflow.org", " ".join(FIRST_GENERATION), Workload(
        tuple(f"spec.{name}ReplicaSpecs.*.template.spec" for name in ("jax", "paddle", "pytorch", "tf", "xgb", "mpi"))
    )),
    **_rows("kubeflow.org", "Notebook", TEMPLATED),
    **_rows("kubeflow.org", "Experiment", Workload(("spec.trialTemplate.trialSpec.spec.template.spec",))),
    **_rows("ray.io", "RayCluster", _ray("spec")),
    **_rows("ray.io", "RayJob", _ray("spec.rayClusterSpec")),
    **_rows("ray.io", "RayService", _ray("spec.rayClusterConfig")),
    **_rows("argoproj.io", "Workflow WorkflowTemplate ClusterWorkflowTemplate", _argo("spec")),
    **_rows("argoproj.io", "CronWorkflow", _argo("spec.workflowSpec")),
}  # fmt: skip
UNREGISTERED = Workload()


def workload(resource: Resource) -> Workload:
    return WORKLOADS.get((resource.group, resource.kind), UNREGISTERED)
