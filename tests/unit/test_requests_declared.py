"""Requests that are kept, and looks at deployed models, as they are declared and refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads import capabilities
from ml_workloads.settings import WorkloadsSettings
from support import chosen, recorder, work
from support.serving import ISVC

URI = "s3://datasets/requests/"
KEPT: dict[str, Any] = {
    **work.IRIS,
    "requests": {"uri": URI, "every": 5},
    "serving": {"iris": {"model": "iris", "requests": {"drop": ["name"], "keep": "7d"}}},
}
WATCHED = work.changed(KEPT, models={"iris": {"monitor": {"quality": {"labels": "s3://datasets/labels/"}}}})
DEPLOYMENT, POLICY = "kubernetes:apps/v1:Deployment", "kubernetes:networking.k8s.io/v1:NetworkPolicy"
CRON = "kubernetes:batch/v1:CronJob"
OWN_IMAGE = {"image": f"registry.test/ctr@sha256:{'1' * 64}"}


def files(tree: recorder.Recorder) -> dict[str, Any]:
    return dict(json.loads(tree.inputs(work.CONFIGMAP, "requests")["data"]["collector.json"]))


def told(predictor: dict[str, Any]) -> dict[str, Any]:
    values = {each["name"]: each.get("value") for each in predictor["model"]["env"]}
    return dict(json.loads(values["ML_REQUESTS"]))


def test_a_model_server_hands_its_requests_on_from_its_own_disk() -> None:
    predictor = work.declare(KEPT).inputs(ISVC, "iris")["spec"]["predictor"]
    assert told(predictor) == {
        "url": "http://requests.models.svc.cluster.local:8080",
        "service": "iris",
        "sample": 1.0,
        "named": ["name"],
        "every": 5,
    }
    assert predictor["volumes"] == [{"name": "requests", "emptyDir": {"sizeLimit": "256Mi"}}]
    assert predictor["model"]["volumeMounts"] == [{"name": "requests", "mountPath": "/requests"}]


def test_files_of_a_model_are_named_by_a_digest_where_no_registry_has_a_version() -> None:
    stored = {"uri": "s3://datasets/models/mpg/3", "format": "sklearn", "requests": {}}
    canary = {"uri": "s3://datasets/models/mpg/4"}
    tree = work.declare({"requests": KEPT["requests"], "serving": {"mpg": {**stored, "canary": canary}}})
    versions = [told(tree.inputs(ISVC, name)["spec"]["predictor"])["version"] for name in ("mpg", "mpg-canary")]
    assert len({*versions}) == 2


def test_the_collector_has_the_key_of_the_object_store_and_model_servers_alone_may_connect() -> None:
    tree = work.declare(KEPT)
    (container,) = tree.inputs(DEPLOYMENT, "requests")["spec"]["template"]["spec"]["containers"]
    names = {each["name"] for each in container["env"]}
    assert "AWS_SECRET_ACCESS_KEY" in names
    assert "ML_REQUESTS_KEY" not in names, "nothing is hashed"
    assert files(tree) == {"uri": URI, "services": {"iris": {"drop": ["name"], "hash": [], "keep": 7}}}
    (rule,) = tree.inputs(POLICY, "requests")["spec"]["ingress"]
    servers = {"key": "serving.kserve.io/inferenceservice", "operator": "Exists"}
    assert rule["from"] == [{"podSelector": {"matchExpressions": [servers]}}]
    entry = tree.inputs(POLICY, "models-entry")["spec"]["podSelector"]
    assert entry == {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["requests"]}]}
    sealed = tree.inputs(POLICY, "models-sealed")["spec"]
    assert (sealed["podSelector"], sealed["ingress"]) == ({}, [])
    environment = tree.inputs(ISVC, "iris")["spec"]["predictor"]["model"]["env"]
    assert not [each["name"] for each in environment if each["name"].startswith("AWS_")]


def test_columns_are_hashed_with_a_secret_of_the_stack() -> None:
    hashed = work.changed(KEPT, serving={"iris": {"requests": {"hash": ["customer"]}}})
    with pytest.raises(SettingsError, match="ml-platform:requests_key is not set"):
        work.declare(hashed)
    tree = work.declare(hashed, secrets={"ml-platform:requests_key": "long"})
    (container,) = tree.inputs(DEPLOYMENT, "requests")["spec"]["template"]["spec"]["containers"]
    assert "ML_REQUESTS_KEY" in {each["name"] for each in container["env"]}
    assert dict(tree.inputs("kubernetes:core/v1:Secret", "requests")["stringData"]) == {"key": "[secret]"}


def test_nothing_is_there_for_requests_that_nobody_keeps() -> None:
    tree = work.declare({**KEPT, "serving": {"iris": {"model": "iris"}}})
    assert "requests" not in {each.name for each in tree.requests.values()}
    assert tree.inputs(POLICY, "models-entry")["spec"]["podSelector"] == {}


def test_a_deployed_model_is_looked_at_by_the_clock() -> None:
    tree = work.declare(WATCHED)
    assert work.told(tree, "iris-monitor") == {
        "run": tree.inputs(work.CONFIGMAP, "iris-monitor-verdict")["metadata"]["name"],
        "verdict": {
            "namespace": "models",
            "configmap": tree.inputs(work.CONFIGMAP, "iris-monitor-verdict")["metadata"]["name"],
        },
        "model": "iris",
        "requests": URI,
        "services": ["iris"],
        "period": 7,
        "drift": {"share": 0.5, "min_rows": 100, "rows": 100_000},
        "quality": {"labels": "s3://datasets/labels/", "id": "id", "metric": "accuracy", "min_rows": 50},
    }
    clock = tree.inputs(CRON, "iris-monitor")["spec"]
    (container,) = clock["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert (clock["schedule"], container["args"]) == ("0 4 * * *", ["ml_runtime.monitor"])
    assert container["image"].partition("@")[0].endswith("monitor")
    (rule,) = tree.inputs("Role", "iris-monitor-run")["rules"]
    assert rule["resourceNames"] == [tree.inputs(work.CONFIGMAP, "iris-monitor-verdict")["metadata"]["name"]]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "nowhere": ({"requests": None}, "serving.iris.requests", "nothing says where they lie"),
    "an image": (
        work.changed(KEPT, serving={"own": {**OWN_IMAGE, "requests": {}}}), "serving.own.requests",
        "the platform's own model server, which serves registered models and files of the formats mlflow",
    ),
    "a format of others": (
        work.changed(KEPT, serving={"own": {"uri": "s3://datasets/m/1", "format": "onnx", "requests": {}}}),
        "serving.own.requests", "by the platform's own model server",
    ),
    "its name": (
        work.changed(KEPT, serving={"requests": {"model": "iris"}}), "serving.requests", "is called requests",
    ),
    "both ways": (
        work.changed(KEPT, serving={"iris": {"requests": {"drop": ["a"], "hash": ["a"]}}}),
        "serving.iris.requests.hash", "'a' is in `drop` too",
    ),
    "no time": (
        work.changed(KEPT, serving={"iris": {"requests": {"keep": "0d"}}}), "serving.iris.requests.keep", "0d",
    ),
    "all of none": (
        work.changed(KEPT, serving={"iris": {"requests": {"sample": 0}}}), "serving.iris.requests.sample", "0",
    ),
    "unasked": (
        work.changed(WATCHED, serving={"iris": {"requests": None}}), "models.iris.monitor",
        "no block of serving keeps requests to iris",
    ),
    "unmade": (
        work.changed(WATCHED, models={"wine": {"monitor": {}}}), "models.wine.monitor", "no run leaves a candidate",
    ),
    "probabilities": (
        work.changed(KEPT, models={"iris": {"monitor": {"quality": {"labels": URI, "metric": "roc_auc"}}}}),
        "models.iris.monitor.quality.metric", "it needs probabilities",
    ),
    "of another task": (
        work.changed(KEPT, models={"iris": {"monitor": {"quality": {"labels": URI, "metric": "rmse"}}}}),
        "models.iris.monitor.quality.metric", "for classification there are accuracy",
    ),
    "the wrong way": (
        work.changed(KEPT, models={"iris": {"monitor": {"quality": {"labels": URI, "at_most": 0.5}}}}),
        "models.iris.monitor.quality.at_most", "more accuracy is better: it has at_least",
    ),
    "too far back": (
        work.changed(WATCHED, serving={"iris": {"requests": {"keep": "3d"}}}), "models.iris.monitor.period",
        "serving.iris.requests.keep is 3d",
    ),
    "a taken name": (
        work.changed(WATCHED, runs={"iris-monitor": {"data": "iris", "model": "iris"}}),
        "runs.iris-monitor", "what looks at model iris has this name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_be_is_refused_by_its_key(name: str) -> None:
    changed, path, rule = WRONG[name]
    with pytest.raises(SettingsError) as refused:
        validate("workloads", {**KEPT, **changed}, WorkloadsSettings)
    assert f"ml-platform:workloads.{path}" in str(refused.value)
    assert rule in str(refused.value)


def test_a_bucket_that_the_platform_does_not_have_is_refused_by_its_key() -> None:
    elsewhere = {**WATCHED, "requests": {"uri": "s3://elsewhere/requests/"}}
    settings = validate("workloads", elsewhere, WorkloadsSettings)
    with pytest.raises(SettingsError, match=r"workloads\.requests\.uri is in bucket 'elsewhere'"):
        capabilities.check(settings, chosen.platform(object_store={"buckets": ["datasets"]}))


def test_pods_with_an_identity_of_their_own_are_those_that_use_the_object_store() -> None:
    settings = validate("workloads", WATCHED, WorkloadsSettings)
    assert {("models", "requests"), ("models", "iris-monitor")} <= {*settings.accounts}
    assert "monitor" in settings.needs(None).images
