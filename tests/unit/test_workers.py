"""A training over several workers as it is declared: by Trainer, or by the operator before it."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads.run_kinds import KINDS, End
from support import recorder, work

SCRIPT = "workloads/examples/digits/workers.py"
RUN: dict[str, Any] = {"operator": "torch", "data": "iris", "model": "iris", "script": SCRIPT}
TRAIN_JOB, RUNTIME = "kubernetes:trainer.kubeflow.org/v1alpha1:TrainJob", "kubernetes:trainer.kubeflow.org/v1alpha1:"
PYTORCH_JOB = "kubernetes:kubeflow.org/v1:PyTorchJob"


def declare(training: Any = "trainer", **changes: Any) -> recorder.Recorder:
    return work.declare({**work.IRIS, "runs": {"iris": {**RUN, **changes}}}, training=training)


def job_of(tree: recorder.Recorder) -> dict[str, Any]:
    """The Job that Trainer's runtime has, with the JobSet's own settings."""
    template = tree.inputs(f"{RUNTIME}TrainingRuntime", "iris-runtime")["spec"]["template"]["spec"]
    (job,) = template["replicatedJobs"]
    return {**job, "failurePolicy": template["failurePolicy"]}


def test_the_train_job_asks_for_its_workers_by_a_runtime_of_its_own() -> None:
    tree = declare(workers=3, timeout=1200, retries=4)
    found, runtime = tree.inputs(TRAIN_JOB, "iris"), tree.inputs(f"{RUNTIME}TrainingRuntime", "iris-runtime")
    assert found["spec"]["runtimeRef"]["name"] == runtime["metadata"]["name"] == work.key(tree)
    assert (found["spec"]["trainer"]["numNodes"], found["spec"]["activeDeadlineSeconds"]) == (3, 1200)
    job = job_of(tree)
    assert job["failurePolicy"]["maxRestarts"] == 4
    assert job["template"]["spec"]["backoffLimit"] == 0


def test_an_error_of_a_workers_user_ends_the_run_and_any_other_loss_starts_all_again() -> None:
    job = job_of(declare())
    (rule,) = job["failurePolicy"]["rules"]
    assert (rule["action"], rule["onJobFailureReasons"]) == ("FailJobSet", ["PodFailurePolicy"])
    (code,) = job["template"]["spec"]["podFailurePolicy"]["rules"]
    assert (code["action"], code["onExitCodes"]["containerName"], code["onExitCodes"]["values"]) == (
        "FailJob",
        "node",
        [3],
    )


@pytest.mark.parametrize("operator", ["trainer", "training-operator"])
def test_each_worker_runs_the_script_under_the_restricted_standard(operator: str) -> None:
    tree = declare(operator)
    if operator == "trainer":
        spec = job_of(tree)["template"]["spec"]["template"]["spec"]
    else:
        spec = tree.inputs(PYTORCH_JOB, "iris")["spec"]["pytorchReplicaSpecs"]["Master"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["name"] == {"trainer": "node", "training-operator": "pytorch"}[operator]
    assert container["args"] == ["ml_runtime.worker", "ml_runtime.script", "/etc/ml-platform/workers.py"]
    assert spec["serviceAccountName"] == "run-iris"
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(("workers", "others"), [(1, None), (2, 1), (5, 4)])
def test_a_pytorch_job_has_a_master_and_all_other_workers(workers: int, others: int | None) -> None:
    spec = declare("training-operator", workers=workers)
    spec = spec.inputs(PYTORCH_JOB, "iris")["spec"]
    found = spec["pytorchReplicaSpecs"].get("Worker", {}).get("replicas")
    assert (spec["pytorchReplicaSpecs"]["Master"]["replicas"], found) == (1, others)


@pytest.mark.parametrize(
    ("changes", "processes"), [({}, 1), ({"resources": {"gpu": 4}}, 4), ({"resources": {"gpu": 4}, "processes": 2}, 2)]
)
def test_a_worker_has_a_process_for_each_gpu(changes: dict[str, Any], processes: int) -> None:
    told = work.told(declare(workers=3, **changes))
    assert (told["workers"], told["processes"]) == (3, processes)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"workers": 3}, True),
        ({"processes": 2}, True),
        ({"parameters": {"epochs": 2}}, True),
        ({"checkpoints": "s3://datasets/kept/"}, False),
        ({"retries": 5, "timeout": 60, "pool": "gpu"}, False),
    ],
    ids=str,
)
def test_what_it_does_makes_another_run_and_how_it_does_it_none(change: dict[str, Any], again: bool) -> None:
    assert (work.key(declare(**change)) != work.key(declare())) is again


def test_another_operator_runs_the_same_run() -> None:
    assert work.key(declare("training-operator")) == work.key(declare())


@pytest.mark.parametrize(
    ("kind", "conditions", "end"),
    [
        ("train-job", [], None),
        ("train-job", [{"type": "Suspended", "status": "False"}], None),
        ("train-job", [{"type": "Complete", "status": "True"}], End()),
        ("train-job", [{"type": "Failed", "status": "True", "message": "jobset failed"}], End(failure="jobset failed")),
        ("pytorch-job", [{"type": "Running", "status": "True"}, {"type": "Restarting", "status": "True"}], None),
        ("pytorch-job", [{"type": "Succeeded", "status": "True"}], End()),
        ("pytorch-job", [{"type": "Failed", "status": "True", "reason": "Gone"}], End(failure="Gone")),
    ],
    ids=str,
)
def test_how_it_has_ended_is_said_by_its_conditions(kind: Any, conditions: list[Any], end: End | None) -> None:
    assert KINDS[kind].end({"status": {"conditions": conditions}}) == end
