"""Raw rows on the real node: Spark makes a table of them, a model learns from it, and what is wrong is said at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import chain, machine, outage, store
from support.flowers import FLOWERS
from support.node_stack import NodeStack
from support.until import while_running

KEY = "raw/uploaded.csv"
DATA = {
    "uri": f"s3://{chain.BUCKET}/{KEY}",
    "target": "species",
    "columns": dict.fromkeys(FLOWERS["Iris-setosa"], "number"),
}
CLASSES = {"setosa": 0, "versicolor": 1, "virginica": 2}


def prepared(block: str, data: str = "uploaded", **changes: Any) -> dict[str, Any]:
    """One more run of Spark, on what somebody has uploaded if on nothing else."""
    run = {"operator": "spark", "data": data, "classes": CLASSES, **changes}
    return {"data": {"uploaded": DATA} if data == "uploaded" else {}, "runs": {block: run}}


def raw() -> bytes:
    """The rows that there are."""
    return bytes(store.client().get_object(Bucket=chain.BUCKET, Key="raw/iris.csv")["Body"].read())


def upload(content: bytes) -> None:
    store.client().put_object(Bucket=chain.BUCKET, Key=KEY, Body=content)


def test_raw_rows_became_a_table_with_a_report_beside_it(stack: NodeStack) -> None:
    found = chain.report("clean")
    assert (found["rows"], found["refused"]) == (150, 0)
    assert found["classes"] == {"0": 50, "1": 50, "2": 50}
    assert found["ranges"]["sepal_length"] == [4.3, 7.9]
    table = chain.table("clean")
    listed = store.client().list_objects_v2(Bucket=chain.BUCKET, Prefix=table)["Contents"]
    assert {f"{table}{name}" for name in found["parts"]} < {each["Key"] for each in listed}


def test_the_event_log_is_kept(stack: NodeStack) -> None:
    assert store.client().list_objects_v2(Bucket="spark-events")["KeyCount"]


@pytest.mark.parametrize(("species", "written"), zip(FLOWERS, "012", strict=True))
def test_the_served_model_says_the_class_as_spark_has_written_it(
    species: str, written: str, stack: NodeStack, tmp_path: Path
) -> None:
    request = tmp_path / "flower.json"
    request.write_text(json.dumps(FLOWERS[species]))
    done = machine.make("predict", f"FILE={request}")
    assert done.returncode == 0, done.stdout
    assert f"-> {written} " in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("wrong", "changes", "words"),
    [
        ("4.3", {}, "are unfit, more than maximum_refused 0.01 lets pass"),
        ("", {"classes": {**CLASSES, "mars": 3}}, "the class 'mars' of column species is in no"),
    ],
    ids=["malformed rows", "a class never seen"],
)
def test_raw_rows_that_do_not_fit_fail_the_run_in_its_own_words(
    wrong: str, changes: dict[str, Any], words: str, restored: NodeStack, tmp_path: Path
) -> None:
    content = raw()
    upload(content.replace(wrong.encode(), b"long") if wrong else content)
    blocks = prepared("other", **changes)
    blocks["data"]["uploaded"] = {**DATA, "version": wrong or "as they are"}
    done = chain.up(restored, tmp_path, **blocks)
    assert done.returncode != 0
    assert words in done.stdout
    assert machine.make("predict").returncode == 0


@pytest.mark.long
def test_an_empty_table_is_named(restored: NodeStack, tmp_path: Path) -> None:
    upload(b"")
    done = chain.up(restored, tmp_path, **prepared("other"))
    assert done.returncode != 0
    assert f"{DATA['uri']} has no rows" in done.stdout


def test_a_table_that_is_missing_is_named_and_the_next_up_goes_on_when_it_is_there(
    restored: NodeStack, tmp_path: Path
) -> None:
    store.client().delete_object(Bucket=chain.BUCKET, Key=KEY)
    done = chain.up(restored, tmp_path, **prepared("other"))
    assert done.returncode != 0
    assert f"{DATA['uri']}: there is no such object" in done.stdout
    upload(raw().replace(b",", b" , ") + b"1,2,3,4,\n")  # blanks around values are no part of them
    done = chain.up(restored, tmp_path, **prepared("other"))
    assert done.returncode == 0, done.stdout
    found = chain.report("other")
    assert (found["rows"], found["refused"]) == (150, 1)
    assert found["classes"] == {"0": 50, "1": 50, "2": 50}


@pytest.mark.long
def test_spark_goes_on_with_another_executor_when_one_is_killed(restored: NodeStack, tmp_path: Path) -> None:
    process = chain.start(restored, tmp_path, **prepared("killed-executor", "raw"))
    executor = while_running(process, lambda: chain.running(chain.SPARK, spark_role="executor"), "it is not so far")
    outage.kill_pod(executor)
    chain.ended_well(process)
    assert chain.report("killed-executor")["rows"] == 150


@pytest.mark.long
def test_a_run_of_spark_waits_for_an_object_store_that_is_away(restored: NodeStack, tmp_path: Path) -> None:
    process = chain.start(restored, tmp_path, **prepared("store-away", "raw"))
    while_running(process, lambda: chain.running(chain.SPARK, spark_role="driver"), "it is not so far")
    with outage.away("StatefulSet", "s3", "storage"):
        chain.ended_well(process)
    assert chain.report("store-away")["rows"] == 150


@pytest.mark.long
def test_an_up_that_was_killed_during_a_run_of_spark_is_gone_on_with(restored: NodeStack, tmp_path: Path) -> None:
    done = chain.killed_and_run_again(
        restored, tmp_path, lambda: chain.running(chain.SPARK, spark_role="driver"), **prepared("killed-up", "raw")
    )
    assert done.returncode == 0, done.stdout
    assert chain.report("killed-up")["rows"] == 150
