"""A search by Ray as it is declared: what the run is told, what makes it a new one, and the two ways to run it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ml_local import images
from ml_platform.configuration import amount
from ml_workloads import ray_job
from ml_workloads.run_kinds import KINDS, End
from support import tuning, work
from support.recorder import Recorder


def test_the_run_is_told_what_to_search_and_how() -> None:
    told = work.told(tuning.declare(parameters={"n_estimators": 50}, resources={"cpu_limit": "4"}))
    assert (told["estimator"], told["metric"], told["trials"], told["at_once"], told["threads"]) == (
        "xgboost",
        "accuracy",
        20,
        2,
        2,
    )
    assert told["space"] == {
        "max_depth": {"integer": [1, 8]},
        "min_child_weight": {"choice": [1, 2, 3]},
        "subsample": {"uniform": [0.5, 1.0]},
        "eta": {"log_uniform": [0.0001, 0.1]},
    }
    assert (told["parameters"], told["experiment"]) == ({"n_estimators": 50}, "iris")
    assert (told["searcher"], told["scheduler"], told["validation"]) == ("random", "none", 0.2)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"trials": 21}, True),
        ({"seed": 1}, True),
        ({"validation": 0.3}, True),
        ({"metric": "recall"}, True),
        ({"parameters": {"n_estimators": 50}}, True),
        ({"space": {"eta": {"uniform": [0.1, 0.2]}}}, True),
        ({"searcher": "optuna"}, True),
        ({"scheduler": "asha"}, True),
        ({"at_once": 4, "retries": 0, "timeout": 60, "pool": "gpu"}, False),
        ({"runner": "ray-job"}, False),
    ],
    ids=str,
)
def test_what_it_does_makes_another_run_and_how_it_does_it_none(change: dict[str, Any], again: bool) -> None:
    assert (work.key(tuning.declare(**change)) != work.key(tuning.declare())) is again


def test_its_gate_judges_what_it_leaves() -> None:
    tree = tuning.declare()
    assert work.told(tree, "iris-gate")["gate"]["metric"] == "accuracy"
    needs = tree.find(work.CONFIGMAP, "iris-gate-run").dependencies
    assert any(urn.endswith("RunOutcome::iris") for urn in needs)


@pytest.mark.parametrize("runner", ["job", "ray-job"])
def test_either_way_it_is_the_same_program_in_the_same_image(runner: str) -> None:
    tree = tuning.declare(runner=runner)
    head = head_of(tree) if runner == "ray-job" else work.pod(tree)
    (container,) = head["containers"]
    assert container["image"].startswith("registry.test/tuning@sha256:")
    said = tree.inputs(tuning.RAY_JOB, "iris")["spec"]["entrypoint"] if runner == "ray-job" else container["args"][0]
    assert said.removeprefix("python -m ") == "ml_runtime.train"


def head_of(tree: Recorder) -> dict[str, Any]:
    """The specification of the pod that is the head of Ray."""
    cluster = tree.inputs(tuning.RAY_JOB, "iris")["spec"]["rayClusterSpec"]
    return dict(cluster["headGroupSpec"]["template"]["spec"])


@pytest.mark.parametrize(
    ("limit", "at_once", "threads"), [("2", 2, 1), ("4", 2, 2), ("500m", 2, 1), ("3500m", 1, 3), ("2", 8, 1)]
)
def test_trials_share_the_processors(limit: str, at_once: int, threads: int) -> None:
    assert work.told(tuning.declare(at_once=at_once, resources={"cpu_limit": limit}))["threads"] == threads


@pytest.mark.parametrize(
    ("quantity", "is_much"), [("2", 2), ("500m", 0.5), ("1.5", 1.5), ("2Gi", 2**31), ("3G", 3e9), ("64Ki", 65536)]
)
def test_a_quantity_is_an_amount(quantity: str, is_much: float) -> None:
    assert amount(quantity) == pytest.approx(is_much)


def test_a_ray_job_is_one_head_with_a_bound_on_all_that_it_takes() -> None:
    item = tuning.ray_job(at_once=2, resources={"cpu_limit": "4", "memory_limit": "4Gi"}, retries=1, timeout=600)
    spec = item["spec"]
    assert (spec["submissionMode"], spec["shutdownAfterJobFinishes"]) == ("HTTPMode", True)
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (1, 600)
    assert "ttlSecondsAfterFinished" not in spec
    cluster = spec["rayClusterSpec"]
    assert "workerGroupSpecs" not in cluster
    start = cluster["headGroupSpec"]["rayStartParams"]
    assert (start["num-cpus"], start["object-store-memory"]) == ("4", "78643200")


def test_the_head_is_under_the_restricted_standard_and_may_write_the_verdict_alone() -> None:
    tree = tuning.declare(runner="ray-job")
    head = head_of(tree)
    assert (head["serviceAccountName"], head["automountServiceAccountToken"]) == ("run-iris", True)
    assert head["securityContext"]["runAsNonRoot"] is True
    (container,) = head["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for probe in ("readinessProbe", "livenessProbe"):
        assert "httpGet" in container[probe], "KubeRay's own probes want a program in the image"
    (rule,) = tree.inputs("kubernetes:rbac.authorization.k8s.io/v1:Role", "iris-run")["rules"]
    assert (rule["resources"], len(rule["resourceNames"]), rule["verbs"]) == (["configmaps"], 1, ["get", "patch"])


def test_of_other_namespaces_only_the_operator_reaches_the_head() -> None:
    tree = tuning.declare(runner="ray-job")
    policy = tree.inputs("kubernetes:networking.k8s.io/v1:NetworkPolicy", "iris-entry")["spec"]
    (entry,) = policy["ingress"]
    (source,) = entry["from"]
    assert source["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "kuberay-system"}
    labels = tree.inputs(tuning.RAY_JOB, "iris")["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["metadata"]
    assert policy["podSelector"]["matchLabels"].items() <= labels["labels"].items()


def test_its_outcome_looks_for_the_pods_of_the_run() -> None:
    tree = tuning.declare(runner="ray-job")
    found = tree.inputs("RunOutcome", "iris")
    assert found["kind"] == "ray-job"
    labels = tree.inputs(tuning.RAY_JOB, "iris")["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["metadata"]
    label, _, run = KINDS["ray-job"].pods.format(found["run"]).partition("=")
    assert labels["labels"][label] == run


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ({"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}, None),
        ({"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}, "it was stopped"),
        ({"jobDeploymentStatus": "Failed", "message": "error: no trial", "reason": "AppFailed"}, "error: no trial"),
        ({"jobDeploymentStatus": "Failed", "reason": "DeadlineExceeded"}, "DeadlineExceeded"),
        ({"jobDeploymentStatus": "ValidationFailed", "message": "no such mode"}, "no such mode"),
    ],
)
def test_a_ray_job_that_has_ended_says_how(status: dict[str, str], failure: str | None) -> None:
    assert KINDS["ray-job"].end({"status": status}) == End(failure=failure)


@pytest.mark.parametrize("state", [None, "Initializing", "Running", "Retrying", "Suspended"])
def test_a_ray_job_that_has_not_ended_is_waited_for(state: str | None) -> None:
    assert KINDS["ray-job"].end({"status": {"jobDeploymentStatus": state, "jobStatus": "FAILED"}}) is None


def test_the_version_that_kuberay_is_told_is_the_one_in_the_image() -> None:
    pins = (images.workloads() / "images/requirements/ray.in").read_text()
    assert re.findall(r"^ray\[default,tune\]==(.*)$", pins, re.MULTILINE) == [ray_job.VERSION]
