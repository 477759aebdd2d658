"""The kinds that run pods, as data: one row each, by group and kind. What a row says is in model.py; a kind that is
added here is judged by every policy of its sort.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf

from ml_policies.engine.resource import Resource
from ml_policies.shapes import counts, spark
from ml_policies.shapes.counts import most
from ml_policies.shapes.model import Limit, Run, Workload, tried

POD = "template.spec"
"""Of a template of pods, or of Jobs."""
FRAMEWORKS = (
    "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "huggingfaceserver", "pmml",
    "lightgbm", "paddle", "art", "alibi",
)  # fmt: skip
"""KServe's older forms of `model`: each names the server by its key."""
PARTS = tuple(f"spec.{part}" for part in ("predictor", "transformer", "explainer"))
FORMS = tuple(f"{part}.{form}" for part in PARTS for form in ("model", *FRAMEWORKS))
REPLICAS = tuple(f"spec.{name}ReplicaSpecs.*" for name in ("jax", "paddle", "pytorch", "tf", "xgb", "mpi"))


def _below(prefix: str, places: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}.{place}" if place else prefix for place in places)


def _job(spec: str, overlaps: str = "") -> Workload:
    """A Job, or what makes Jobs, at whose specification this is."""
    gone = {} if overlaps else {f"{spec}.ttlSecondsAfterFinished": ""}
    ends = Run(f"{spec}.activeDeadlineSeconds", retries=tried(Limit(f"{spec}.backoffLimit", 6)), gone=gone)
    return Workload(
        (f"{spec}.{POD}",), counts={spec: most("parallelism")}, run=replace(ends, overlaps=overlaps)
    )  # fmt: skip


def _job_set(spec: str, retries: float = 6) -> Workload:
    """Jobs of a JobSet, each with retries of its own."""
    job = f"{spec}.replicatedJobs.*.{POD}"
    again = tried(Limit(f"{spec}.failurePolicy.maxRestarts"), Limit(f"{job}.backoffLimit", retries))
    ends = Run(f"{job}.activeDeadlineSeconds", retries=again, gone={f"{spec}.ttlSecondsAfterFinished": ""})
    many = {job.removesuffix(f".{POD}"): most("replicas"), job: most("parallelism")}
    return Workload((f"{job}.{POD}",), counts=many, run=ends)


def _runtime() -> Workload:
    """What TrainJobs are made of: Jobs, which they size."""
    jobs = _job_set(f"spec.{POD}", retries=0)
    many = {"spec": most("mlPolicy.numNodes"), **jobs.counts}
    return replace(jobs, template=True, sized=False, counts=many)


def _spark(spec: str, overlaps: str = "") -> Workload:
    """Of both operators: Stackable's has `podOverrides`, `sparkImage` and a pod that submits, `job`."""
    roles = ("driver", "executor", "job")
    overrides = [f"{role}.{field}.spec" for role in roles for field in ("template", "podOverrides")]
    ends = Run(waited=True, retries=spark.tried(spec), gone={f"{spec}.timeToLiveSeconds": ""}, overlaps=overlaps)
    return Workload(
        _below(spec, ("", *roles, *overrides)), _below(spec, ("", "sparkImage", *roles)), completed=True,
        counts={f"{spec}.executor": counts.executors}, made=spark.made, run=ends,
    )  # fmt: skip


def _argo(spec: str, overlaps: str = "", template: bool = False) -> Workload:
    templates = ("templates.*", "templateDefaults")
    containers = [f"{each}.{field}" for each in templates for field in ("container", "script")]
    gone = () if overlaps else ("AfterCompletion", "AfterSuccess", "AfterFailure")
    ends = Run(
        f"{spec}.activeDeadlineSeconds", retries=tried(Limit(f"{spec}.templates.*.retryStrategy.limit", inf)),
        gone={f"{spec}.ttlStrategy.seconds{when}": "" for when in gone}, overlaps=overlaps,
    )  # fmt: skip
    return Workload(
        _below(spec, ("", *templates)), _below(spec, containers), template=template,
        counts={f"{spec}.templates.*": counts.argo_templates}, run=ends,
    )  # fmt: skip


def _tekton(spec: str, deadline: str = "", retries: str = "") -> Workload:
    """Steps and sidecars of a task, or of the tasks that a pipeline has in itself."""
    tasks = ("", "taskSpec", *(f"{holder}{field}.*.taskSpec" for holder in ("", "pipelineSpec.")
                               for field in ("tasks", "finally")))  # fmt: skip
    containers = [
        f"{each}.{field}".lstrip(".") for each in tasks for field in ("steps.*", "sidecars.*", "stepTemplate")
    ]
    ends = Run(deadline, default=3600, retries=tried(Limit(retries)) if retries else tried())
    pods = _below(spec, (*tasks, "podTemplate", "taskRunTemplate.podTemplate"))
    return Workload(pods, _below(spec, containers), template=not deadline, run=ends if deadline else None)


def _ray(cluster: str, run: Run | None = None) -> Workload:
    pods = _below(cluster, (f"headGroupSpec.{POD}", f"workerGroupSpecs.*.{POD}"))
    submitter = ("spec.submitterPodTemplate.spec",) if run else ()
    many = {f"{cluster}.workerGroupSpecs.*": counts.ray_workers}
    return Workload((*pods, *submitter), (f"{cluster}.autoscalerOptions",), counts=many, run=run)


def _every_node(_: Mapping[str, object], __: Resource) -> float:
    return inf


RAY_JOB = Run(
    "spec.activeDeadlineSeconds",
    retries=tried(Limit("spec.backoffLimit"), Limit("spec.submitterConfig.backoffLimit", 2)),
    # KubeRay's own time to live is of the Ray cluster behind the job; this one is of the job itself.
    gone={"spec.deletionStrategy.deletionRules.*.policy": "DeleteSelf"},
)
FIRST_GENERATION = Workload(
    tuple(f"{each}.{POD}" for each in REPLICAS),
    counts=dict.fromkeys(REPLICAS, counts.of_training),
    run=Run(
        "spec.runPolicy.activeDeadlineSeconds", waited=True, retries=tried(Limit("spec.runPolicy.backoffLimit", inf)),
        gone={"spec.runPolicy.ttlSecondsAfterFinished": ""},
    ),
)  # fmt: skip
"""The kinds of the training operator: all say in one way how they end."""
SERVED = Workload(
    (*PARTS, *(f"{part}.workerSpec" for part in PARTS)), FORMS, completed=True,
    counts={
        **dict.fromkeys(PARTS, counts.scaled),
        **{f"{part}.workerSpec": most("pipelineParallelSize") for part in PARTS},
    },
    parts=PARTS, models=FORMS, sources=tuple(f"{part}.storageUris.*.uri" for part in PARTS),
)  # fmt: skip
LANGUAGE = Workload(
    ("spec.template", "spec.worker", "spec.prefill.template", "spec.prefill.worker"), completed=True,
    counts={"spec": most("replicas"), "spec.prefill": most("replicas"), "spec.worker": most("parallelism.pipeline")},
    sources=("spec.model.uri",),
)  # fmt: skip
TRAIN_JOB = Workload(
    ("spec.podTemplateOverrides.*.spec", "spec.podSpecOverrides.*"),
    ("spec.trainer", "spec.initializer.dataset", "spec.initializer.model"),
    completed=True, counts={"spec.trainer": most("numNodes")},
    run=Run("spec.activeDeadlineSeconds", waited=True, gone={"spec.ttlSecondsAfterFinished": ""}),
)  # fmt: skip
TRIAL = _job("spec.trialTemplate.trialSpec.spec")
EXPERIMENT = replace(TRIAL, counts={**TRIAL.counts, "spec": most("parallelTrialCount", default=3)})
VOLCANO = Workload(
    (f"spec.tasks.*.{POD}",), counts={"spec.tasks.*": most("replicas")},
    run=Run(waited=True, retries=tried(Limit("spec.maxRetry", 3)), gone={"spec.ttlSecondsAfterFinished": ""}),
)  # fmt: skip
GROUPS = Workload(
    tuple(f"spec.leaderWorkerTemplate.{each}Template.spec" for each in ("leader", "worker")),
    counts={"spec": most("replicas"), "spec.leaderWorkerTemplate.workerTemplate": counts.of_group},
)
STANDING = Workload((f"spec.{POD}",), counts={"spec": most("replicas")})
ALONE = Workload((f"spec.{POD}",))
REVISIONS = Workload((f"spec.{POD}",), counts={"spec.template": counts.of_revision})
OPERATED = Workload(
    ("spec",), ("spec",), completed=True, counts={"spec": most("replicas", "replicaCount", "shardCount")}
)
SERVING = Workload(("spec", "spec.workerSpec"), template=True)
SCALED_JOB = replace(_job("spec.jobTargetRef"), counts={
    "spec": most("maxReplicaCount", default=100), "spec.jobTargetRef": most("parallelism")})  # fmt: skip

ROWS: tuple[tuple[str, str, Workload], ...] = (
    ("", "Pod", Workload(("spec",))),
    ("", "PodTemplate", Workload((POD,), template=True)),
    ("", "ReplicationController", STANDING),
    ("apps", "Deployment StatefulSet ReplicaSet", STANDING),
    ("apps", "DaemonSet", replace(STANDING, counts={"spec": _every_node})),
    ("batch", "Job", _job("spec")),
    ("batch", "CronJob", _job("spec.jobTemplate.spec", "spec.concurrencyPolicy")),
    ("keda.sh", "ScaledJob", SCALED_JOB),
    ("argoproj.io", "Rollout", STANDING),
    ("argoproj.io", "Workflow", _argo("spec")),
    ("argoproj.io", "WorkflowTemplate ClusterWorkflowTemplate", _argo("spec", template=True)),
    ("argoproj.io", "CronWorkflow", _argo("spec.workflowSpec", "spec.concurrencyPolicy")),
    ("tekton.dev", "Task ClusterTask Pipeline", _tekton("spec")),
    ("tekton.dev", "TaskRun", _tekton("spec", "spec.timeout", "spec.retries")),
    ("tekton.dev", "PipelineRun", _tekton("spec", "spec.timeouts.pipeline")),
    ("serving.knative.dev", "Service Configuration", REVISIONS),
    ("serving.knative.dev", "Revision", Workload(("spec",), counts={"": counts.of_revision})),
    ("serving.kserve.io", "InferenceService", SERVED),
    ("serving.kserve.io", "ServingRuntime ClusterServingRuntime", SERVING),
    ("serving.kserve.io", "ClusterStorageContainer",
     Workload((), ("spec.container",), completed=True, template=True)),
    ("serving.kserve.io", "LLMInferenceService", LANGUAGE),
    ("serving.kserve.io", "LLMInferenceServiceConfig", replace(LANGUAGE, template=True)),
    ("serving.kserve.io", "TrainedModel", Workload(sources=("spec.model.storageUri",))),
    ("serving.kserve.io", "LocalModelCache", Workload(sources=("spec.sourceModelUri",))),
    ("sparkoperator.k8s.io", "SparkApplication", _spark("spec")),
    ("sparkoperator.k8s.io", "ScheduledSparkApplication", _spark("spec.template", "spec.concurrencyPolicy")),
    ("spark.stackable.tech", "SparkApplication", _spark("spec")),
    ("trainer.kubeflow.org", "TrainJob", TRAIN_JOB),
    ("trainer.kubeflow.org", "TrainingRuntime ClusterTrainingRuntime", _runtime()),
    ("jobset.x-k8s.io", "JobSet", _job_set("spec")),
    ("kubeflow.org", "JAXJob MPIJob PaddleJob PyTorchJob TFJob XGBoostJob", FIRST_GENERATION),
    ("kubeflow.org", "Notebook", ALONE),
    ("kubeflow.org", "Experiment", EXPERIMENT),
    ("kubeflow.org", "Trial", _job("spec.runSpec.spec")),
    ("ray.io", "RayCluster", _ray("spec")),
    ("ray.io", "RayJob", _ray("spec.rayClusterSpec", RAY_JOB)),
    ("ray.io", "RayService", _ray("spec.rayClusterConfig")),
    ("batch.volcano.sh", "Job", VOLCANO),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet", GROUPS),
    ("operator.victoriametrics.com", "VMSingle VMAgent VMAlert VMAlertmanager VMAuth VLSingle", OPERATED),
    ("monitoring.coreos.com", "Prometheus PrometheusAgent Alertmanager ThanosRuler", OPERATED),
)  # fmt: skip
WORKLOADS: dict[tuple[str, str], Workload] = {
    (group, kind): workload for group, kinds, workload in ROWS for kind in kinds.split()
}
UNREGISTERED = Workload()


def workload(resource: Resource) -> Workload:
    return WORKLOADS.get((resource.group, resource.kind), UNREGISTERED)
