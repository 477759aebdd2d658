"""Raw rows on the real node: Spark makes a table of them, a model learns from it, and what is wrong is said at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import chain, etl, machine, outage
from support.flowers import FLOWERS
from support.node_stack import NodeStack
from support.until import while_running

COLUMNS = list(etl.COLUMNS)
BLOCK = {"target": "species", "classes": {"setosa": 0, "versicolor": 1, "virginica": 2}}
WINE = {"source": "sklearn:wine", "key": "raw/wine.data", "columns": COLUMNS}
UPLOADED = {"source": "uploaded", "key": "raw/uploaded.data", "columns": COLUMNS}


def report(store: Any, name: str) -> dict[str, Any]:
    found = store.get_object(Bucket="datasets", Key=f"{name}/preprocessed/_report.json")["Body"].read()
    return dict(json.loads(found))


def test_raw_rows_became_a_table_with_a_report_beside_it(store: Any) -> None:
    found = report(store, "iris")
    assert (found["rows"], found["refused"]) == (150, 0)
    assert found["classes"] == {"0": 50, "1": 50, "2": 50}
    assert found["ranges"]["sepal_length"] == [4.3, 7.9]
    keys = {each["Key"] for each in store.list_objects_v2(Bucket="datasets", Prefix="iris/")["Contents"]}
    assert {f"iris/preprocessed/{name}" for name in found["parts"]} < keys


def test_the_event_log_is_kept(store: Any) -> None:
    assert store.list_objects_v2(Bucket="spark-events")["KeyCount"]


@pytest.mark.parametrize(("species", "written"), zip(FLOWERS, "012", strict=True))
def test_the_served_model_says_the_class_as_the_etl_has_written_it(
    species: str, written: str, stack: NodeStack, tmp_path: Path
) -> None:
    request = tmp_path / "flower.json"
    request.write_text(json.dumps(FLOWERS[species]))
    done = machine.make("predict", f"FILE={request}")
    assert done.returncode == 0, done.stdout
    assert f"-> {written} " in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "wine"}, "178 of 178 rows of s3a://datasets/raw/wine.data are unfit"),
        ({"dataset": "raw", "classes": {**BLOCK["classes"], "mars": 3}}, "the class 'mars' of column species is in no"),
    ],
    ids=["malformed rows", "a class never seen"],
)
def test_raw_rows_that_do_not_fit_fail_the_run_in_its_own_words(
    changes: dict[str, Any], words: str, restored: NodeStack, tmp_path: Path
) -> None:
    done = chain.up(restored, tmp_path, datasets={"wine": WINE}, etl={"other": {**BLOCK, **changes}})
    assert done.returncode != 0
    assert words in done.stdout
    assert machine.make("predict").returncode == 0


@pytest.mark.long
def test_an_empty_table_is_named(restored: NodeStack, store: Any, tmp_path: Path) -> None:
    store.put_object(Bucket="datasets", Key=UPLOADED["key"], Body=b"")
    blocks = {"datasets": {"uploaded": UPLOADED}, "etl": {"other": {**BLOCK, "dataset": "uploaded"}}}
    done = chain.up(restored, tmp_path, **blocks)
    assert done.returncode != 0
    assert "s3a://datasets/raw/uploaded.data has no rows; put the raw table there" in done.stdout


def test_a_table_that_is_missing_is_named_and_the_next_up_goes_on_when_it_is_there(
    restored: NodeStack, store: Any, tmp_path: Path
) -> None:
    blocks = {"datasets": {"uploaded": UPLOADED}, "etl": {"other": {**BLOCK, "dataset": "uploaded"}}}
    store.delete_object(Bucket="datasets", Key=UPLOADED["key"])
    done = chain.up(restored, tmp_path, **blocks)
    assert done.returncode != 0
    assert "s3a://datasets/raw/uploaded.data: there is no such object" in done.stdout
    raw = store.get_object(Bucket="datasets", Key="raw/iris.data")["Body"].read()
    store.put_object(Bucket="datasets", Key=UPLOADED["key"], Body=raw + b"1,2\n")
    done = chain.up(restored, tmp_path, **blocks)
    assert done.returncode == 0, done.stdout
    found = report(store, "other")
    assert (found["rows"], found["refused"], found["sha256"]) == (150, 1, report(store, "iris")["sha256"])


def other(output: str) -> dict[str, Any]:
    """One more ETL of the same rows, into a folder of its own."""
    return {"etl": {"other": {**BLOCK, "dataset": "raw", "output": f"{output}/"}}}


def rows(store: Any, output: str) -> int:
    found = store.get_object(Bucket="datasets", Key=f"{output}/_report.json")["Body"].read()
    return int(json.loads(found)["rows"])


@pytest.mark.long
def test_spark_goes_on_with_another_executor_when_one_is_killed(
    restored: NodeStack, store: Any, tmp_path: Path
) -> None:
    process = chain.start(restored, tmp_path, **other("killed-executor"))
    executor = while_running(process, lambda: chain.running("spark-jobs", spark_role="executor"), "it is not so far")
    outage.kill_pod(executor)
    chain.ended_well(process)
    assert rows(store, "killed-executor") == 150


@pytest.mark.long
def test_an_etl_waits_for_an_object_store_that_is_away(restored: NodeStack, store: Any, tmp_path: Path) -> None:
    process = chain.start(restored, tmp_path, **other("store-away"))
    while_running(process, lambda: chain.running("spark-jobs", spark_role="driver"), "it is not so far")
    with outage.away("StatefulSet", "s3", "storage"):
        chain.ended_well(process)
    assert rows(store, "store-away") == 150


@pytest.mark.long
def test_an_up_that_was_killed_during_the_etl_is_gone_on_with(restored: NodeStack, store: Any, tmp_path: Path) -> None:
    done = chain.killed_and_run_again(
        restored, tmp_path, lambda: chain.running("spark-jobs", spark_role="driver"), **other("killed-up")
    )
    assert done.returncode == 0, done.stdout
    assert rows(store, "killed-up") == 150
    runs = machine.client().list("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs")
    assert len([run for run in runs if run["metadata"]["name"].startswith("other-")]) == 1
