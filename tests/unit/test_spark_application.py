"""What an ETL block asks of either operator: the same run, each in its own words, and no key in any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.configuration import SettingsError, validate
from ml_platform.handle import SparkOperator
from ml_runtime import etl_spec
from ml_workloads import fit
from ml_workloads.settings import WorkloadsSettings
from support import chosen, etl, recorder

OPERATORS: tuple[SparkOperator, ...] = ("kubeflow", "stackable")
both = pytest.mark.parametrize("operator", OPERATORS)


def program(tree: recorder.Recorder) -> dict[str, str]:
    """The files that come with a run."""
    found: dict[str, str] = tree.inputs("ConfigMap", "iris-program")["data"]
    return found


def test_kubeflow_is_asked_for_sizes_in_its_own_words() -> None:
    executor = {"cpu": "250m", "cpu_limit": "1500m", "memory": "2Gi", "instances": 3}
    spec = etl.application("kubeflow", executor=executor, driver={"memory": "704Mi"})["spec"]
    sizes = ("cores", "coreRequest", "coreLimit", "memory", "memoryOverhead")
    assert [spec["driver"][key] for key in sizes] == [1, "100m", "1", "493m", "211m"]
    assert [spec["executor"][key] for key in sizes] == [2, "250m", "1500m", "1434m", "614m"]
    assert spec["executor"]["instances"] == 3
    assert spec["sparkVersion"] == "4.0.4"
    assert spec["image"].startswith("registry.test/spark@sha256:")
    assert spec["restartPolicy"] == {"type": "Never"}


def test_stackable_is_asked_for_sizes_in_its_own_words() -> None:
    spec = etl.application("stackable", executor={"cpu": "250m", "memory": "2Gi", "instances": 3})["spec"]
    resources = {"cpu": {"min": "250m", "max": "1"}, "memory": {"limit": "2Gi"}}
    assert spec["executor"]["config"]["resources"] == resources
    assert spec["executor"]["replicas"] == 3
    assert spec["sparkImage"] == {"productVersion": "4.1.1"}


def test_an_image_of_ones_own_runs_by_either_operator() -> None:
    image = f"registry.test/mine@sha256:{'1' * 64}"
    own = {"image": image, "spark_version": "4.0.1"}
    assert etl.application("kubeflow", **own)["spec"]["image"] == image
    assert etl.application("stackable", **own)["spec"]["sparkImage"] == {"custom": image, "productVersion": "4.0.1"}


@pytest.mark.parametrize(("repository", "asked"), [(None, {}), ("mirror.test/sdp", {"repo": "mirror.test/sdp"})])
def test_another_stacks_registry_is_known_when_that_stack_is_read(
    repository: str | None, asked: dict[str, str]
) -> None:
    tree = etl.declare_work(etl.work(), "stackable", pulumi.Output.from_input(repository))
    found = tree.inputs(etl.KINDS["stackable"], "iris")
    assert found["spec"]["sparkImage"] == {"productVersion": "4.1.1", **asked}


@both
def test_keys_of_the_object_store_come_from_a_secret_and_are_in_no_configuration(operator: SparkOperator) -> None:
    tree = etl.declare(operator)
    found = tree.inputs(etl.KINDS[operator], "iris")
    assert "very secret" not in json.dumps(found)
    assert not [key for key in found["spec"]["sparkConf"] if "key" in key]
    pods = found["spec"] if operator == "stackable" else container(found, "driver")
    sources = {each["name"]: each.get("valueFrom", {}).get("secretKeyRef") for each in pods["env"]}
    keys = f"{found['metadata']['name']}-keys"
    assert sources["AWS_SECRET_ACCESS_KEY"] == {"name": keys, "key": "secret"}
    assert tree.inputs("Secret", "iris-keys")["metadata"]["name"] == keys


def container(application: dict[str, Any], role: str) -> dict[str, Any]:
    (found,) = application["spec"][role]["template"]["spec"]["containers"]
    assert found["name"] == f"spark-kubernetes-{role}"
    return dict(found)


@both
def test_where_the_object_store_is_and_nothing_more_is_configured_unless_asked_for(operator: SparkOperator) -> None:
    assert etl.application(operator)["spec"]["sparkConf"] == {
        "spark.ui.enabled": "false",
        "spark.kubernetes.executor.enableApiWatcher": "false",
        "spark.kubernetes.executor.apiPollingInterval": "5s",
        "spark.kubernetes.allocation.executor.timeout": "60s",
        "spark.hadoop.fs.s3a.endpoint": "http://s3.test:7070",
        "spark.hadoop.fs.s3a.endpoint.region": "r",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.multiobjectdelete.enable": "true",
    }


@both
def test_an_event_log_and_executors_by_need_are_asked_for_by_either_in_the_same_words(operator: SparkOperator) -> None:
    more = {"event_log": "datasets", "executor": {"instances": 2, "max_instances": 5}}
    found = etl.application(operator, **more)["spec"]["sparkConf"]
    assert found["spark.eventLog.dir"] == "s3a://datasets/"
    assert found["spark.eventLog.enabled"] == found["spark.dynamicAllocation.enabled"] == "true"
    assert found["spark.dynamicAllocation.minExecutors"] == "2"
    assert found["spark.dynamicAllocation.maxExecutors"] == "5"


@both
def test_the_description_is_one_that_the_program_takes(operator: SparkOperator) -> None:
    tree = etl.declare(operator)
    spec = etl_spec.parse(json.loads(program(tree)["etl.json"]))
    assert spec.run == tree.inputs(etl.KINDS[operator], "iris")["metadata"]["name"]
    assert (spec.raw.key, spec.output.key) == ("raw/iris.data", "iris/preprocessed/")
    assert spec.classes == {"Iris-setosa": "0", "Iris-versicolor": "1", "Iris-virginica": "2"}
    assert spec.verdict
    assert (spec.verdict.namespace, spec.verdict.configmap) == ("spark-jobs", spec.run)


def test_the_program_has_all_that_it_imports(tmp_path: Path) -> None:
    tree = etl.declare("kubeflow")
    volume = tree.inputs(etl.KINDS["kubeflow"], "iris")["spec"]["driver"]["template"]["spec"]["volumes"][0]
    for item in volume["configMap"]["items"]:
        path = tmp_path / item["path"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(program(tree)[item["key"]])
    words = [sys.executable, "-S", str(tmp_path / "ml_runtime" / "etl.py"), "--help"]
    subprocess.run(words, env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]}, check=True)


@both
def test_a_script_is_the_program_and_part_of_the_runs_name(
    operator: SparkOperator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulumi.get_root_directory", lambda: str(tmp_path))
    names = []
    for code in ("print(1)", "print(2)"):
        (tmp_path / "mine.py").write_text(code)
        tree = etl.declare(operator, script="mine.py")
        assert program(tree)["main.py"] == code
        found = tree.inputs(etl.KINDS[operator], "iris")
        assert found["spec"]["mainApplicationFile"] == "local:///opt/ml-platform/main.py"
        names.append(found["metadata"]["name"])
    assert names[0] != names[1]


@both
def test_a_program_in_the_image_is_started_where_it_lies(operator: SparkOperator) -> None:
    spec = etl.application(operator, application="/opt/mine/main.py")["spec"]
    assert spec["mainApplicationFile"] == "local:///opt/mine/main.py"


@both
@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, False),
        ({"timeout": 60}, False),
        ({"maximum_refused": 0.5}, True),
        ({"executor": {"instances": 2}}, True),
        ({"output": "elsewhere/"}, True),
    ],
)
def test_whatever_decides_the_result_is_a_new_run(
    changes: dict[str, Any], again: bool, operator: SparkOperator
) -> None:
    names = [etl.application(operator, **each)["metadata"]["name"] for each in ({}, changes)]
    assert (names[0] != names[1]) is again


@both
def test_a_training_takes_what_the_run_leaves_by_its_digest(operator: SparkOperator) -> None:
    tree = etl.declare(operator)
    described = json.loads(tree.inputs("ConfigMap", "iris-run")["data"]["run.json"])
    # As the outcome has it, which in a record is what every outcome has.
    assert described["dataset"] == {"bucket": "datasets", "key": "iris/preprocessed/", "sha256": "7"}
    assert described["columns"] == list(etl.COLUMNS)
    outcome = [urn for urn in tree.requests if urn.endswith("RunOutcome::iris") and "SparkApplication" in urn]
    assert recorder.inputs(tree.requests[outcome[0]])["kind"] == operator


@both
def test_a_table_that_somebody_uploads_is_put_there_by_no_job(operator: SparkOperator) -> None:
    jobs = [request.name for request in etl.declare(operator).requests.values() if request.type.endswith(":Job")]
    assert jobs == ["iris", "iris-gate"]


SETTINGS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"dataset": "mars"}, "etl.iris.dataset", '"mars"', "allowed: raw"),
    ({"target": "size"}, "etl.iris.target", '"size"', "allowed: sepal_length"),
    ({"columns": ["a", "b"]}, "etl.iris.target", '"species"', "allowed: a, b"),
    ({"columns": ["a", "a"]}, "etl.iris.columns", '["a", "a"]', "distinct"),
    ({"classes": {"a": 1}}, "etl.iris.classes", '{"a": 1}', "at least 2"),
    ({"classes": {"a": 1.5, "b": 2}}, "etl.iris.classes.a", "1.5", "a whole number or a text"),
    ({"output": "folder"}, "etl.iris.output", '"folder"', "pattern"),
    ({"script": "a.py", "application": "/b.py"}, "etl.iris.application", '"/b.py"', "keep one of them"),
    ({"application": "b.py"}, "etl.iris.application", '"b.py"', "pattern"),
    ({"driver": {"memory": "512Mi"}}, "etl.iris.driver.memory", '"512Mi"', "704Mi or more"),
    ({"executor": {"instances": 2, "max_instances": 2}}, "executor.max_instances", "2", "must exceed instances"),
]


@pytest.mark.parametrize(("changes", "path", "given", "rule"), SETTINGS)
def test_bad_settings_are_refused_with_what_is_allowed(
    changes: dict[str, Any], path: str, given: str, rule: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", etl.work(**changes), WorkloadsSettings)
    verb = "rm" if "keep one of them" in rule else "set"
    for word in (path, f"is {given}: ", rule, f"pulumi config {verb} --path 'ml-platform:workloads."):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("dataset", "path", "rule"),
    [
        ({"etl": "mars"}, "training.iris.dataset.etl", "allowed: iris"),
        ({"spark": "iris"}, "training.iris.dataset", "it is a data set's name, or {etl: <a block of etl>}"),
    ],
)
def test_a_training_on_what_no_block_leaves_is_refused(dataset: Any, path: str, rule: str) -> None:
    work = etl.work()
    work["training"]["iris"]["dataset"] = dataset
    with pytest.raises(SettingsError) as refused:
        validate("workloads", work, WorkloadsSettings)
    assert path in str(refused.value)
    assert rule in str(refused.value)


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ({}, "the platform has no operator for it. Have it install one with:"),
        (
            {"spark": {}, "object_store": {"buckets": ["others"]}},
            "workloads.etl.iris.bucket is 'datasets'; allowed: others",
        ),
    ],
)
def test_what_the_platform_has_not_is_refused_with_the_way_out(platform: dict[str, Any], words: str) -> None:
    settings = validate("workloads", etl.work(), WorkloadsSettings)
    with pytest.raises(SettingsError) as refused:
        fit.check(settings, chosen.platform(**platform))
    assert words in str(refused.value)
    fit.check(settings, chosen.platform(spark={}))
