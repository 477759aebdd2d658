"""The ETL without Spark: what it is told, how many rows it may refuse, which kind a column has, and its report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ml_runtime import etl_spec, report, rows
from ml_runtime.data_spec import Format
from ml_runtime.errors import RunError, SpecError
from ml_runtime.etl_spec import EtlSpec
from ml_runtime.report import DataReport
from ml_runtime.rows import Account, Counts
from ml_runtime.schema import Column, Kind, Schema
from ml_workloads.spark_application import MODULES, RUNTIME

DATA = {"uri": "s3://datasets/raw/iris.data", "target": "species", "csv": {"header": ["length", "width", "species"]}}


def described(**changes: Any) -> dict[str, Any]:
    return {
        "run": "iris-1",
        "data": DATA,
        "classes": {"Iris-setosa": "0", "Iris-virginica": "1"},
        "output": "s3://datasets/dev/clean/iris-1/",
        **changes,
    }


def parsed(**changes: Any) -> EtlSpec:
    return etl_spec.parse(described(**changes))


def account(accepted: int, **refused: int) -> Account:
    rules = {f"column {name}: no number": count for name, count in refused.items()}
    return Account(rows=accepted + sum(refused.values()), refused=rules, examples=["s3a://datasets/a.csv: wide"])


def test_a_few_unfit_rows_are_said_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    rows.judge(parsed(), account(398, width=1, length=1))
    said = capsys.readouterr().out
    assert "refused 2 of 400 rows: 1 x column length: no number; 1 x column width: no number (for example s3a:" in said


@pytest.mark.parametrize(
    ("found", "changes", "words"),
    [
        (account(0), {}, "s3://datasets/raw/iris.data has no rows"),
        (
            account(1, width=1),
            {},
            "1 of 2 rows of s3://datasets/raw/iris.data are unfit, more than maximum_refused 0.01",
        ),
        (account(0, width=1), {"maximum_refused": 1}, "1 of 1 rows"),
    ],
)
def test_a_table_that_is_empty_or_unfit_fails_the_run(found: Account, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RunError) as failed:
        rows.judge(parsed(**changes), found)
    assert words in str(failed.value)


def test_a_class_that_is_mapped_and_never_seen_fails_the_run() -> None:
    rows.check_classes(parsed(), {"0": 5, "1": 5})
    with pytest.raises(RunError, match=r"the class 'Iris-virginica' of column species is in no accepted row .* 5 of 0"):
        rows.check_classes(parsed(), {"0": 5})


@pytest.mark.parametrize(
    ("counts", "typed", "kind"),
    [
        ((100, 100, 0, 0, 90), False, Kind.NUMBER),
        ((100, 99, 0, 0, 90), False, Kind.NUMBER),
        ((100, 90, 0, 0, 90), False, Kind.NUMBER),
        ((100, 89, 0, 0, 90), False, Kind.TEXT),
        ((100, 90, 10, 0, 40), False, Kind.CATEGORY),
        ((100, 100, 0, 0, 90), True, Kind.TEXT),
        ((100, 0, 0, 100, 90), False, Kind.TIME),
        ((100, 0, 0, 100, 90), True, Kind.TIME),
        ((100, 0, 0, 0, 50), False, Kind.CATEGORY),
        ((100, 0, 0, 0, 51), False, Kind.TEXT),
        ((9_000, 0, 0, 0, 1_001), False, Kind.TEXT),
    ],
)
def test_a_column_is_what_most_of_its_values_are_since_the_others_are_refused(
    counts: tuple[int, int, int, int, int], typed: bool, kind: Kind
) -> None:
    names = ("present", "numbers", "codes", "times", "distinct")
    assert rows.kind_of(Counts(**dict(zip(names, counts, strict=True))), 0.01, typed) is kind


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Age", "age", "species"], "'Age' and 'age', which Spark takes for one"),
        (["length", "width"], "no column 'species', only 'length', 'width'"),
        (["length;width;species"], "the separator ';'"),
    ],
)
def test_columns_that_can_not_be_told_apart_or_are_not_there_are_refused(names: list[str], words: str) -> None:
    with pytest.raises(RunError) as refused:
        rows.check_columns(parsed(), names)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "form"),
    [
        ("raw/iris.data", Format.CSV),
        ("raw/", Format.CSV),
        ("raw/a.csv.gz", Format.CSV),
        ("raw/a.parquet", Format.PARQUET),
        ("raw/a.jsonl", Format.JSONL),
    ],
)
def test_the_ending_says_how_a_raw_table_is_written(uri: str, form: Format) -> None:
    assert parsed(data={**DATA, "uri": f"s3://datasets/{uri}"}).form is form


def test_a_regression_and_a_table_without_a_target_need_no_classes() -> None:
    assert parsed(data={**DATA, "task": "regression"}, classes={}).classes == {}
    assert parsed(data={"uri": "s3://datasets/a.parquet"}, classes={}).data.target is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": 1}, ["unknown key colour", "classes"]),
        ({"classes": {"a": 0, "b": 1}}, ["classes", "texts"]),
        ({"data": {**DATA, "task": "regression"}}, ["classes", "data.target", "classification"]),
        ({"data": {**DATA, "uri": "sklearn:iris"}}, ["data.uri", "'sklearn:iris'", "s3://"]),
        ({"data": {**DATA, "format": "files"}}, ["data.format", "'files'", "csv, parquet, jsonl"]),
        ({"output": "s3://datasets/out"}, ["output", "'s3://datasets/out'", "slash"]),
        ({"output": "s3://datasets/a//b/"}, ["output", "keys meet"]),
        ({"maximum_refused": 5}, ["maximum_refused", "5", "from 0 to 1"]),
    ],
)
def test_a_mistake_in_the_description_names_the_key_the_value_and_the_rule(
    changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(SpecError) as error:
        parsed(**changes)
    for word in words:
        assert word in str(error.value)


def test_a_report_survives_its_json() -> None:
    parts = {"part-0.parquet": "1", "part-1.parquet": "2"}
    schema = Schema((Column("length", Kind.NUMBER), Column("species", Kind.CATEGORY, categories=("0", "1"))))
    found = DataReport(
        run="iris-1",
        schema=schema,
        rows=3,
        refused=0,
        classes={"0": 2, "1": 1},
        ranges={"length": (4.9, 6.3)},
        parts=parts,
        sha256=report.digest(parts),
    )
    read = report.parse(found.to_json().encode(), "s3://datasets/clean/")
    assert json.loads(read.to_json()) == json.loads(found.to_json())
    assert (read.schema, read.sha256) == (schema, found.sha256)


def test_the_digest_of_a_table_does_not_depend_on_the_names_of_its_files() -> None:
    assert report.digest({"a": "1", "b": "2"}) == report.digest({"c": "2", "d": "1"}) != report.digest({"a": "1"})


def test_the_driver_has_all_that_it_imports_beside_spark(tmp_path: Path) -> None:
    folder = tmp_path / "ml_runtime"
    folder.mkdir()
    for module in MODULES:
        shutil.copy(RUNTIME / f"{module}.py", folder)
    alone = [sys.executable, "-S", "-c", "import ml_runtime.etl"]
    done = subprocess.run(alone, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
