"""A training over several workers as it is declared: by Trainer, or by the operator before it."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads import capabilities
from ml_workloads.run_kinds import KINDS, End
from ml_workloads.settings import WorkloadsSettings
from support import chosen, recorder, work

SCRIPT = "workloads/examples/digits/workers.py"
RUN: dict[str, Any] = {"operator": "torch", "data": "iris", "model": "iris", "script": SCRIPT}
TRAIN_JOB, RUNTIME = "kubernetes:trainer.kubeflow.org/v1alpha1:TrainJob", "kubernetes:trainer.kubeflow.org/v1alpha1:"
PYTORCH_JOB = "kubernetes:kubeflow.org/v1:PyTorchJob"
IMAGE = f"registry.test/team/train@sha256:{'1' * 64}"
OWN: dict[str, Any] = {"script": None, "image": IMAGE, "command": ["torchrun", "/app/train.py"]}
CLICKS = {"uri": "s3://datasets/clicks.parquet", "target": "clk"}


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


def steps_of(tree: recorder.Recorder) -> dict[str, dict[str, Any]]:
    """The steps of a worker's pod, by name."""
    spec = job_of(tree)["template"]["spec"]["template"]["spec"]
    return {each["name"]: each for each in (*spec["initContainers"], *spec["containers"])}


def env_of(step: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") or each.get("valueFrom") for each in step["env"]}


def test_an_image_of_ones_own_is_told_the_group_before_the_step_that_trainer_tells() -> None:
    tree = declare(workers=3, **OWN)
    steps, key = steps_of(tree), work.key(tree)
    assert [*steps] == ["rows", "train", "node"]
    assert (steps["train"]["image"], steps["train"]["command"]) == (IMAGE, OWN["command"])
    number = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}}
    told, first = env_of(steps["train"]), f"{key}-node-0-0.{key}"
    assert (told["PET_NNODES"], told["PET_NPROC_PER_NODE"], told["PET_NODE_RANK"]) == ("3", "1", number)
    assert (told["PET_MASTER_ADDR"], told["PET_MASTER_PORT"]) == (first, "29400")
    assert (told["WORLD_SIZE"], told["RANK"], told["LOCAL_RANK"], told["MASTER_ADDR"]) == ("3", number, "0", first)
    several = env_of(steps_of(declare(processes=2, **OWN))["train"])
    assert "RANK" not in several  # torchrun has a number for each process
    assert env_of(steps["node"])["ML_WORKER"] == number
    trainer = declare(resources={"gpu": 2}, processes=1, **OWN).inputs(TRAIN_JOB, "iris")["spec"]["trainer"]
    assert trainer["resourcesPerNode"]["limits"]["nvidia.com/gpu"] == "2"  # which the policies count
    assert not [name for name in told if name.startswith(("AWS_", "MLFLOW_TRACKING"))]


def test_a_program_of_an_image_that_ends_by_itself_ends_the_run() -> None:
    rules = job_of(declare(**OWN))["template"]["spec"]["podFailurePolicy"]["rules"]
    said = {rule["onExitCodes"]["containerName"]: rule["onExitCodes"]["operator"] for rule in rules}
    assert said == {"node": "In", "rows": "In", "train": "NotIn"}


def test_workers_with_an_image_of_ones_own_read_what_the_look_has_found_or_nothing() -> None:
    settings = {**work.IRIS, "data": {"clicks": CLICKS}, "runs": {"iris": {**RUN, **OWN, "data": "clicks"}}}
    assert work.told(work.declare(settings))["data"]["sha256"] == "cd34"
    assert work.told(declare(**OWN))["image"] == IMAGE


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"image": IMAGE}, "script", "the image has a program of its own"),
        ({"script": None}, "script", "a run of operator torch has one, or an `image`"),
        ({**OWN, "checkpoints": "s3://datasets/kept/"}, "checkpoints", "has no key of the object store"),
        ({"command": ["torchrun"]}, "command", "it runs in an `image` of one's own"),
    ],
    ids=["both", "none", "checkpoints", "command"],
)
def test_what_can_not_be_is_refused_by_its_key(change: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", {**work.IRIS, "runs": {"iris": {**RUN, **change}}}, WorkloadsSettings)
    assert f"ml-platform:workloads.runs.iris.{path} is " in str(refused.value)
    assert rule in str(refused.value)


def test_an_image_of_ones_own_needs_trainer() -> None:
    settings = validate("workloads", {**work.IRIS, "runs": {"iris": {**RUN, **OWN}}}, WorkloadsSettings)
    capabilities.check(settings, chosen.platform(training={"v2": True}))
    with pytest.raises(SettingsError) as refused:
        capabilities.check(settings, chosen.platform(training={"v1": True}))
    assert f"runs.iris.image is '{IMAGE}', and the training operator tells no step" in str(refused.value)
    assert "pulumi config set --path 'ml-platform:platform.training.v2' true" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"workers": 3}, True),
        ({**OWN}, True),
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
