"""A tuning as it is declared: what the run is told, what makes it a new one, and the two ways to run it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ml_local import images
from ml_platform.configuration import SettingsError, amount, validate
from ml_runtime import ray_tune, tune_spec
from ml_runtime.metrics import METRICS
from ml_workloads import fit, learning_settings, ray_job
from ml_workloads.run_kinds import KINDS, End
from ml_workloads.settings import WorkloadsSettings
from support import chosen, tuning
from support.recorder import Recorder, inputs

CONFIGMAP = "kubernetes:core/v1:ConfigMap"


def told(tree: Recorder) -> dict[str, Any]:
    return dict(json.loads(tree.inputs(CONFIGMAP, "iris-run")["data"]["run.json"]))


def outcome(tree: Recorder) -> dict[str, Any]:
    (found,) = (each for urn, each in tree.requests.items() if "Tuning$" in urn and urn.endswith("RunOutcome::iris"))
    return inputs(found)


def key(**changes: Any) -> str:
    return str(outcome(tuning.declare(**changes))["run"])


def test_the_run_is_told_what_its_contract_has() -> None:
    spec = tune_spec.parse(told(tuning.declare(parameters={"n_estimators": 50}, resources={"cpu_limit": "4"})))
    assert (spec.estimator, spec.metric, spec.trials, spec.at_once, spec.threads) == ("xgboost", "accuracy", 20, 2, 2)
    assert spec.search == {
        "max_depth": {"integer": [1, 8]},
        "min_child_weight": {"choice": [1, 2, 3]},
        "subsample": {"uniform": [0.5, 1.0]},
        "eta": {"log_uniform": [0.0001, 0.1]},
    }
    assert (spec.parameters, spec.experiment) == ({"n_estimators": 50}, "iris")


@pytest.mark.parametrize(
    "change",
    [
        {"trials": 21},
        {"seed": 1},
        {"validation": 0.3},
        {"metric": "recall"},
        {"parameters": {"n_estimators": 50}},
        {"search": {"eta": {"uniform": [0.1, 0.2]}}},
        {"runner": "ray-job"},
    ],
    ids=str,
)
def test_what_it_does_makes_another_run(change: dict[str, Any]) -> None:
    assert key(**change) != key()


@pytest.mark.parametrize("change", [{"at_once": 4}, {"retries": 0}, {"gate": {"threshold": 0.5}}], ids=str)
def test_how_it_does_it_makes_none(change: dict[str, Any]) -> None:
    assert key(**change) == key()


def test_its_gate_judges_what_it_leaves() -> None:
    tree = tuning.declare(model="flowers")
    gate = json.loads(tree.inputs(CONFIGMAP, "iris-gate-run")["data"]["run.json"])
    assert (gate["model"], gate["gate"]["metric"]) == ("flowers", "accuracy")
    needs = tree.find(CONFIGMAP, "iris-gate-run").dependencies
    assert any("Tuning$" in urn and urn.endswith("RunOutcome::iris") for urn in needs)


@pytest.mark.parametrize(
    ("limit", "at_once", "threads"), [("2", 2, 1), ("4", 2, 2), ("500m", 2, 1), ("3500m", 1, 3), ("2", 8, 1)]
)
def test_trials_share_the_processors(limit: str, at_once: int, threads: int) -> None:
    assert told(tuning.declare(at_once=at_once, resources={"cpu_limit": limit}))["threads"] == threads


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
    head = tree.inputs(tuning.RAY_JOB, "iris")["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    assert (head["serviceAccountName"], head["automountServiceAccountToken"]) == ("tuning-iris", True)
    assert head["securityContext"]["runAsNonRoot"] is True
    (container,) = head["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
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
    found = outcome(tree)
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
    assert ray_tune.OBJECT_STORE == ray_job.OBJECT_STORE


def test_what_the_metrics_of_settings_and_runtime_are_called_is_the_same() -> None:
    of_settings = {(task, name) for task, names in learning_settings.METRICS.items() for name in names}
    assert of_settings == {(str(metric.task), name) for name, metric in METRICS.items()}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"search": {}}, "tuning.iris.search", "at least one parameter"),
        ({"search": {"eta": {}}}, "tuning.iris.search.eta", "it has one of: uniform, log_uniform, integer, choice"),
        ({"search": {"eta": {"uniform": [1, 2], "choice": [1]}}}, "tuning.iris.search.eta", "it has one of"),
        ({"search": {"eta": {"uniform": [2, 1]}}}, "tuning.iris.search.eta.uniform", "less than the second"),
        ({"search": {"eta": {"log_uniform": [0, 1]}}}, "tuning.iris.search.eta.log_uniform", "above 0"),
        ({"search": {"max_depth": {"integer": [1.5, 2]}}}, "tuning.iris.search.max_depth.integer", "two whole numbers"),
        ({"search": {"max_depth": {"choice": []}}}, "tuning.iris.search.max_depth.choice", "at least 1 item"),
        ({"parameters": {"eta": 1}}, "tuning.iris.parameters.eta", "keep one of them"),
        ({"estimator": "random-forest"}, "tuning.iris.search", "must be given for the estimator random-forest"),
        ({"metric": "rmse"}, "tuning.iris.metric", "for classification there are accuracy and recall"),
        ({"trials": 0}, "tuning.iris.trials", "greater than or equal to 1"),
        ({"runner": "ray"}, "tuning.iris.runner", "'job' or 'ray-job'"),
        (
            {"runner": "ray-job", "resources": {"memory_limit": "1Gi"}},
            "tuning.iris.resources.memory_limit",
            "a RayJob needs 2Gi or more",
        ),
        ({"dataset": {"etl": "mars"}}, "tuning.iris.dataset.etl", "allowed: iris"),
    ],
)
def test_a_mistake_names_the_key_and_the_rule(changes: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", tuning.work(**changes), WorkloadsSettings)
    assert f"ml-platform:workloads.{path} " in str(refused.value)
    assert words in str(refused.value)


def test_a_training_and_a_tuning_of_one_name_are_refused() -> None:
    work = {**tuning.work(model="flowers"), "training": {"iris": tuning.BLOCK}}
    with pytest.raises(SettingsError, match=r"tuning\.iris .*a block of training has this name"):
        validate("workloads", work, WorkloadsSettings)


def test_a_ray_job_where_there_is_no_kuberay_is_refused_with_the_way_out() -> None:
    settings = validate("workloads", tuning.work(runner="ray-job"), WorkloadsSettings)
    fit.check(settings, chosen.platform(spark={}, ray={}))
    with pytest.raises(SettingsError, match=r"tuning\.iris\.runner is 'ray-job', and the platform has no KubeRay"):
        fit.check(settings, chosen.platform(spark={}))
