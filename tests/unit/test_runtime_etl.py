"""The ETL without Spark: which rows fit, what is refused in what words, what the report holds and who believes it."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import pytest
from ml_runtime import etl, etl_spec, prepared, report, store
from ml_runtime.errors import RunError, SpecError
from ml_runtime.report import DataReport
from ml_runtime.rows import Account, Refusal
from ml_runtime.spec import DataObject

COLUMNS = ["length", "width", "species"]


def described(**changes: Any) -> dict[str, Any]:
    return {
        "run": "iris-1",
        "raw": {"bucket": "datasets", "key": "raw/iris.data"},
        "columns": COLUMNS,
        "target": "species",
        "classes": {"Iris-setosa": "0", "Iris-virginica": "1"},
        "output": {"bucket": "datasets", "key": "iris/preprocessed/"},
        **changes,
    }


SPEC = etl_spec.parse(described())
GOOD, BAD = "5.1,3.5,Iris-setosa", "5.1,3.5,Iris-mars"


def account(*lines: str) -> Account:
    checked = [row for row in map(SPEC.rules.check, lines) if row is not None]
    return reduce(Account.add, checked, Account())


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (GOOD, (5.1, 3.5, "0")),
        (" 5.1 , 3.5 , Iris-virginica \r", (5.1, 3.5, "1")),
        ('"5.1","3.5","Iris-setosa"', (5.1, 3.5, "0")),
        ("", None),
        ("  \r", None),
    ],
)
def test_a_row_that_fits_has_its_numbers_and_its_class_mapped(line: str, row: Any) -> None:
    assert SPEC.rules.check(line) == row


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("5.1,3.5", "2 fields, not 3"),
        ("5.1,3.5,1.0,Iris-setosa", "4 fields, not 3"),
        ("5.1,wide,Iris-setosa", "column width: no number"),
        ("5.1,,Iris-setosa", "column width: no number"),
        ("nan,3.5,Iris-setosa", "column length: no number"),
        ("inf,3.5,Iris-setosa", "column length: no number"),
        (BAD, "column species: no class that is mapped"),
        ("5.1,3.5,", "column species: no class that is mapped"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_by_a_rule(line: str, rule: str) -> None:
    assert SPEC.rules.check(line) == Refusal(rule, line)


def test_accounts_of_two_parts_add_up_to_that_of_the_whole() -> None:
    lines = [GOOD] * 7 + [BAD] * 6 + ["5.1"] * 2
    whole = account(*lines)
    assert account(*lines[:8]).merge(account(*lines[8:])) == whole
    assert (whole.accepted, whole.refused.total(), whole.share) == (7, 8, 8 / 15)
    assert whole.describe().startswith("6 x column species: no class that is mapped; 2 x 1 fields, not 3 (for example ")


def test_a_few_unfit_rows_are_said_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    etl.judge(SPEC, account(*[GOOD] * 199, BAD))
    assert "refused 1 of 200 rows: 1 x column species" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "s3a://datasets/raw/iris.data has no rows"),
        (["", " "], "has no rows"),
        ([GOOD, BAD], "1 of 2 rows of s3a://datasets/raw/iris.data are unfit, more than maximum_refused 0.01"),
        ([BAD], "1 of 1 rows"),
    ],
)
def test_a_table_that_is_empty_or_unfit_fails_the_run(lines: list[str], words: str) -> None:
    with pytest.raises(RunError) as failed:
        etl.judge(SPEC, account(*lines))
    assert words in str(failed.value)


def test_no_table_passes_without_a_row_however_many_may_be_refused() -> None:
    with pytest.raises(RunError, match="unfit"):
        etl.judge(etl_spec.parse(described(maximum_refused=1)), account(BAD))


def test_a_class_that_is_mapped_and_never_seen_fails_the_run() -> None:
    etl.check_classes(SPEC, {"0": 5, "1": 5})
    with pytest.raises(RunError, match=r"the class 'Iris-virginica' of column species is in no accepted row .* 5 of 0"):
        etl.check_classes(SPEC, {"0": 5})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": 1}, ["unknown key colour", "classes"]),
        ({"classes": {"a": "0"}}, ["classes", "at least two"]),
        ({"classes": {"a": 0, "b": 1}}, ["classes", "texts"]),
        ({"target": "colour"}, ["target", "'colour'", "species"]),
        ({"raw": {"bucket": "b", "key": "raw/"}}, ["raw.key", "'raw/'", "object's key"]),
        ({"output": {"bucket": "b", "key": "out"}}, ["output.key", "'out'", "slash"]),
        ({"maximum_refused": 5}, ["maximum_refused", "5", "from 0 to 1"]),
    ],
)
def test_a_mistake_in_the_description_names_the_key_the_value_and_the_rule(
    changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(SpecError) as error:
        etl_spec.parse(described(**changes))
    for word in words:
        assert word in str(error.value)


PARTS = {
    "part-a.csv": b"length,width,species\n5.1,3.5,0\n6.3,3.3,1\n",
    "part-b.csv": b"length,width,species\n4.9,3.0,0\n",
}
FOLDER = DataObject(bucket="datasets", key="iris/preprocessed/")


def prepared_table(**changes: Any) -> dict[str, bytes]:
    """The objects of a folder by key, its report changed."""
    parts = {name: store.digest(content) for name, content in PARTS.items()}
    found = DataReport(
        run="iris-1",
        columns=tuple(COLUMNS),
        target="species",
        rows=3,
        refused=0,
        classes={"0": 2, "1": 1},
        ranges={"length": (4.9, 6.3), "width": (3.0, 3.5)},
        parts=parts,
        sha256=report.digest(parts),
    )
    described = json.dumps({**json.loads(found.to_json()), **changes}).encode()
    return {FOLDER.key + name: content for name, content in {**PARTS, report.NAME: described}.items()}


def read(objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, sha256: str | None = None) -> bytes:
    def found(source: DataObject) -> bytes:
        content = objects[source.key]
        if source.sha256 not in (None, store.digest(content)):
            raise RunError("somebody replaced the data")
        return content

    monkeypatch.setattr(prepared.store, "read", found)
    return prepared.read(DataObject(bucket="datasets", key=FOLDER.key, sha256=sha256), COLUMNS)


def test_a_prepared_folder_is_read_as_one_table_without_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    known = report.digest({name: store.digest(content) for name, content in PARTS.items()})
    assert read(prepared_table(), monkeypatch, known) == b"5.1,3.5,0\n6.3,3.3,1\n4.9,3.0,0\n"


def test_the_digest_of_a_table_does_not_depend_on_the_names_of_its_files() -> None:
    assert report.digest({"a": "1", "b": "2"}) == report.digest({"c": "2", "d": "1"}) != report.digest({"a": "1"})


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (prepared_table(rows=4), "has 3 rows, and 4 by its report"),
        (prepared_table(columns=["length", "species", "width"]), "has the columns"),
        (prepared_table(sha256="0" * 64), "contradicts itself"),
        ({**prepared_table(), FOLDER.key + report.NAME: b"{}"}, "is no report of an ETL run"),
        ({**prepared_table(), FOLDER.key + "part-a.csv": b"length,width,species\n"}, "somebody replaced the data"),
    ],
    ids=["rows", "columns", "digest", "no report", "a file"],
)
def test_a_prepared_folder_is_believed_no_further_than_its_report_goes(
    objects: dict[str, bytes], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match=words):
        read(objects, monkeypatch)


def test_data_of_another_run_are_not_taken_for_those_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="another ETL run has written there since"):
        read(prepared_table(), monkeypatch, "0" * 64)
