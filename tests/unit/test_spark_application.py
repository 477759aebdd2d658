"""What a run of Spark asks of either operator: the same run, each in its own words, and no key in any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.handle import SparkOperator
from support import etl, recorder, work

OPERATORS: tuple[SparkOperator, ...] = ("kubeflow", "stackable")
both = pytest.mark.parametrize("operator", OPERATORS)


def program(tree: recorder.Recorder) -> dict[str, str]:
    """The files that come with a run."""
    found: dict[str, str] = tree.inputs("ConfigMap", "clean-run")["data"]
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
    known = pulumi.Output.from_input(repository)
    tree = work.declare(etl.settings(), operator="stackable", repository=known)
    found = tree.inputs(etl.KINDS["stackable"], "clean")
    assert found["spec"]["sparkImage"] == {"productVersion": "4.1.1", **asked}


@both
def test_keys_of_the_object_store_come_from_a_secret_and_are_in_no_configuration(operator: SparkOperator) -> None:
    tree = etl.declare(operator)
    found = tree.inputs(etl.KINDS[operator], "clean")
    assert "very secret" not in json.dumps(found)
    assert not [key for key in found["spec"]["sparkConf"] if "key" in key]
    pods = found["spec"] if operator == "stackable" else container(found, "driver")
    sources = {each["name"]: each.get("valueFrom", {}).get("secretKeyRef") for each in pods["env"]}
    keys = f"{found['metadata']['name']}-keys"
    assert sources["AWS_SECRET_ACCESS_KEY"] == {"name": keys, "key": "secret"}
    assert tree.inputs("Secret", "clean-keys")["metadata"]["name"] == keys


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
def test_it_is_told_what_the_raw_data_are_and_where_its_table_goes(operator: SparkOperator) -> None:
    tree = etl.declare(operator)
    told = work.told(tree, "clean")
    assert told["run"] == tree.inputs(etl.KINDS[operator], "clean")["metadata"]["name"]
    assert (told["data"]["uri"], told["data"]["csv"]["header"]) == (etl.RAW["uri"], list(etl.COLUMNS))
    assert told["output"] == f"s3://datasets/tables/test/clean/{told['run']}/"
    assert told["classes"] == {"Iris-setosa": "0", "Iris-versicolor": "1", "Iris-virginica": "2"}
    assert told["verdict"] == {"namespace": "spark-jobs", "configmap": told["run"]}


def test_the_program_has_all_that_it_imports(tmp_path: Path) -> None:
    tree = etl.declare("kubeflow")
    volume = tree.inputs(etl.KINDS["kubeflow"], "clean")["spec"]["driver"]["template"]["spec"]["volumes"][0]
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
        found = tree.inputs(etl.KINDS[operator], "clean")
        assert found["spec"]["mainApplicationFile"] == "local:///etc/ml-platform/main.py"
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
        ({"pool": "gpu"}, False),
        ({"table": {"target": "colour"}}, False),
        ({"maximum_refused": 0.5}, True),
        ({"executor": {"instances": 2}}, True),
        ({"output": "s3://datasets/elsewhere/"}, True),
    ],
    ids=str,
)
def test_whatever_decides_the_result_is_a_new_run(
    changes: dict[str, Any], again: bool, operator: SparkOperator
) -> None:
    names = [etl.application(operator, **each)["metadata"]["name"] for each in ({}, changes)]
    assert (names[0] != names[1]) is again


def test_an_image_that_was_built_again_is_no_new_run() -> None:
    images = [{"spark": f"registry.test/spark@sha256:{digit * 64}"} for digit in "01"]
    trees = [work.declare(etl.settings(), images=each) for each in images]
    assert work.key(trees[0], "clean") == work.key(trees[1], "clean")


@both
def test_a_training_takes_what_the_run_leaves_by_its_digest(operator: SparkOperator) -> None:
    tree = etl.declare(operator, table={"test": {"fraction": 0.3}})
    assert work.told(tree)["data"] == {
        "uri": work.told(tree, "clean")["output"],
        "format": "parquet",
        "sha256": "ab12",
        "target": "species",
        "task": "classification",
        "test": {"fraction": 0.3},
    }
    assert tree.inputs("RunOutcome", "clean")["kind"] == operator
    needs = tree.find(work.CONFIGMAP, "iris-run").dependencies
    assert any("SparkApplication$" in urn and urn.endswith("RunOutcome::clean") for urn in needs)


def test_raw_data_in_the_store_are_looked_at_before_the_run() -> None:
    tree = etl.declare("kubeflow")
    assert any(urn.endswith("RunOutcome::data-raw") for urn in tree.find(work.CONFIGMAP, "clean-run").dependencies)
    named = work.declare(work.changed(etl.settings(), data={"raw": {"version": "1"}}))
    assert not [each.name for each in named.requests.values() if each.name.startswith("data-")]
