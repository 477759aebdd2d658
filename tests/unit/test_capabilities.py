"""Work that the platform of the same stack can't do is refused before anything is declared, with the way out."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads import capabilities
from ml_workloads.settings import WorkloadsSettings
from support import chosen, etl, tuning
from support.work import IRIS, changed

SERVED = changed(IRIS, serving={"iris": {"model": "iris"}})


def check(work: dict[str, Any], *pools: str, **platform: Any) -> None:
    settings = validate("workloads", work, WorkloadsSettings)
    capabilities.check(settings, chosen.platform(**platform), pools=pools)


def refusal(work: dict[str, Any], *pools: str, **platform: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        check(work, *pools, **platform)
    return str(refused.value)


def serving(**changes: Any) -> dict[str, Any]:
    return changed(SERVED, serving={"iris": changes})


@pytest.mark.parametrize(
    ("mode", "key", "value"),
    [
        ("standard", "min_replicas", 0),
        ("standard", "container_concurrency", 4),
        ("standard", "scale_metric", "rps"),
        ("knative", "scale_metric", "cpu"),
    ],
)
def test_what_the_other_serving_mode_alone_can_do_is_refused(mode: str, key: str, value: Any) -> None:
    work = serving(**{key: value})
    check(work, serving={"mode": "knative" if mode == "standard" else "standard"})
    message = refusal(work, serving={"mode": mode})
    assert f"workloads.serving.iris.{key} is {value}: in serving mode {mode} " in message
    assert f"--path 'ml-platform:workloads.serving.iris.{key}'" in message


@pytest.mark.parametrize(
    ("work", "without", "platform", "words"),
    [
        (etl.settings(), {}, {"spark": {}}, "runs.clean needs Spark, and the platform has no operator for it"),
        (
            tuning.settings(runner="ray-job"),
            {"spark": {}},
            {"spark": {}, "ray": {}},
            "runs.iris.runner is 'ray-job', and the platform has no KubeRay",
        ),
        (
            changed(IRIS, runs={"iris": {"operator": "torch", "script": "own.py"}}),
            {},
            {"training": {"v1": True}},
            "runs.iris.operator is 'torch', and the platform has no operator for trainings in several pods",
        ),
    ],
    ids=["spark", "ray", "training"],
)
def test_an_operator_that_the_platform_has_not_is_refused(
    work: dict[str, Any], without: dict[str, Any], platform: dict[str, Any], words: str
) -> None:
    check(work, **platform)
    assert words in refusal(work, **without)


RAW = {"spark": {}, "object_store": {"buckets": ["datasets"]}}


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        ({"uri": "sklearn:iris", "csv": None}, "sklearn:iris"),
        ({"uri": "s3://datasets/pages/", "format": "files", "csv": None}, "files"),
        ({"uri": "s3://datasets/words.txt", "format": "text", "csv": None}, "text"),
        ({"uri": None, "dvc": {"file": "a.dvc", "remote": "s3://datasets/dvc"}}, "kept by DVC"),
    ],
)
def test_what_spark_does_not_read_is_refused(raw: dict[str, Any], form: str) -> None:
    message = refusal(changed(etl.settings(), data={"raw": raw}), **RAW)
    assert f"runs.clean.data is 'raw', which is {form}: Spark reads csv, parquet and jsonl" in message
    check(changed(etl.settings(), data={"raw": {"uri": "sklearn:iris", "upload": "s3://datasets/a.csv"}}), **RAW)


@pytest.mark.parametrize(
    ("work", "key"),
    [
        (changed(IRIS, data={"iris": {"uri": "s3://mine/a.csv"}}), "data.iris.uri"),
        (changed(IRIS, data={"iris": {"upload": "s3://mine/a.csv"}}), "data.iris.upload"),
        (changed(IRIS, data={"iris": {"test": {"uri": "s3://mine/a.csv"}}}), "data.iris.test.uri"),
        (changed(IRIS, data={"iris": {"uri": None, "dvc": {"file": "a.dvc", "remote": "s3://mine/a"}}}), "dvc.remote"),
        (etl.settings(output="s3://mine/a/"), "runs.clean.output"),
        (etl.settings(event_log="mine"), "runs.clean.event_log"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bucket_that_the_platform_has_not_is_refused(work: dict[str, Any], key: str) -> None:
    message = refusal(work, **RAW)
    assert f"{key} is in bucket 'mine'; allowed: datasets. Name one of them, or have the platform make it" in message
    check(work, **{**RAW, "object_store": {"buckets": ["datasets", "mine"]}})


POOLED = changed(
    {**tuning.settings(), **SERVED, "data": {**etl.WORK["data"], **IRIS["data"]}}, runs={"clean": etl.CLEAN}
)
PLACES = {"runs": ("clean", "iris"), "serving": ("iris",)}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in PLACES.items() for name in names])
def test_a_pool_that_is_not_there_is_refused_with_those_that_are(kind: str, name: str) -> None:
    work = changed(POOLED, **{kind: {name: {"pool": "big"}}})
    path = f"ml-platform:workloads.{kind}.{name}.pool"
    for pools, there in ((["general", "gpu"], "general, gpu"), ([], "nothing, there are none")):
        message = refusal(work, *pools, spark={})
        assert f"{path} is 'big'; allowed: {there}." in message
        assert f"pulumi config rm --path '{path}'" in message
    check(work, "big", spark={})


@pytest.mark.parametrize(
    ("work", "words", "command"),
    [
        (
            changed(IRIS, runs={"iris": {"resources": {"memory": "4Gi"}}}),
            "runs.iris.resources.memory is '4Gi', more than memory_limit, which is '1Gi'",
            "runs.iris.resources.memory_limit' 4Gi",
        ),
        (
            serving(resources={"cpu": 3}),
            "serving.iris.resources.cpu is '3', more than cpu_limit, which is '1'",
            "serving.iris.resources.cpu_limit' 3",
        ),
        (
            changed(IRIS, runs={"iris": {"resources": {"memory_limit": "32Gi"}}}),
            "runs.iris.resources.memory_limit is '32Gi', and the quota of all pods together is '16Gi'",
            "quota.memory' 32Gi",
        ),
        (
            {**IRIS, "quota": {"cpu": "500m"}},
            "runs.iris.resources.cpu_limit is '2', and the quota of all pods together is '500m'",
            "quota.cpu' 2",
        ),
    ],
    ids=["a request above its limit", "of a served model", "a limit above the quota", "a quota below all"],
)
def test_a_pod_that_no_quota_or_limit_lets_in_is_refused(work: dict[str, Any], words: str, command: str) -> None:
    message = refusal(work)
    assert f"ml-platform:workloads.{words}" in message
    assert f"  pulumi config set --path 'ml-platform:workloads.{command}" in message


def test_all_that_can_not_be_done_is_said_at_once() -> None:
    work = changed(SERVED, serving={"iris": {"min_replicas": 0, "pool": "big"}})
    assert refusal(work, serving={"mode": "standard"}).count("\n  pulumi config") == 3


def test_a_pipeline_on_the_platforms_own_kubeflow_pipelines_is_refused_where_there_are_none() -> None:
    run = {"operator": "kfp", "pipeline": "flow.yaml", "output": "s3://datasets/flow/", "api": "platform"}
    work = changed(IRIS, runs={"flow": run})
    message = refusal(work)
    assert "workloads.runs.flow.api is 'platform', and this stack's platform has no Kubeflow Pipelines" in message
    assert "pulumi config set --path 'ml-platform:platform.kubeflow.pipelines.storage' 20Gi" in message
    check(work, kubeflow={"pipelines": {}})
