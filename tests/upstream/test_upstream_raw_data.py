"""Raw rows on the real node: Spark makes a table of them, a model learns from it, and what is wrong is said at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import etl, machine
from support.flowers import FLOWERS
from support.node_stack import NodeStack

COLUMNS = list(etl.COLUMNS)
BLOCK = {"target": "species", "classes": {"setosa": 0, "versicolor": 1, "virginica": 2}}
WINE = {"source": "sklearn:wine", "key": "raw/wine.data", "columns": COLUMNS}
UPLOADED = {"source": "uploaded", "key": "raw/uploaded.data", "columns": COLUMNS}


@pytest.fixture
def store(stack: NodeStack) -> Any:
    return etl.object_store(machine.client(), machine.outputs()["object_store_endpoint"])


@pytest.fixture
def restored(stack: NodeStack) -> Iterator[NodeStack]:
    """The stack; afterwards it is as its file says."""
    yield stack
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout


def up(stack: NodeStack, folder: Path, **blocks: Any) -> machine.Done:
    """`pulumi up` with more blocks of workloads."""
    return machine.up(machine.settings("workloads", blocks, folder, base=stack.config))


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
    done = up(restored, tmp_path, datasets={"wine": WINE}, etl={"other": {**BLOCK, **changes}})
    assert done.returncode != 0
    assert words in done.stdout
    assert machine.make("predict").returncode == 0


def test_a_table_that_is_missing_is_named_and_the_next_up_goes_on_when_it_is_there(
    restored: NodeStack, store: Any, tmp_path: Path
) -> None:
    blocks = {"datasets": {"uploaded": UPLOADED}, "etl": {"other": {**BLOCK, "dataset": "uploaded"}}}
    store.delete_object(Bucket="datasets", Key=UPLOADED["key"])
    done = up(restored, tmp_path, **blocks)
    assert done.returncode != 0
    assert "s3a://datasets/raw/uploaded.data: there is no such object" in done.stdout
    raw = store.get_object(Bucket="datasets", Key="raw/iris.data")["Body"].read()
    store.put_object(Bucket="datasets", Key=UPLOADED["key"], Body=raw + b"1,2\n")
    done = up(restored, tmp_path, **blocks)
    assert done.returncode == 0, done.stdout
    found = report(store, "other")
    assert (found["rows"], found["refused"], found["sha256"]) == (150, 1, report(store, "iris")["sha256"])
