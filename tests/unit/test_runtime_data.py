"""Kinds of columns, the rows that are the test, and how they are kept: the same everywhere, and after a change."""

from __future__ import annotations

import random
from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import kept, split
from ml_runtime.data_spec import ByHash, ByTime, DataSpec, Given, Task, parse_data
from ml_runtime.errors import RunError, SpecError
from ml_runtime.schema import Column, Kind, Schema, is_number
from ml_runtime.spec import Block
from ml_runtime.split import Sketch

SCHEMA = Schema(
    (
        Column("length", Kind.NUMBER, nullable=True),
        Column("count", Kind.NUMBER, whole=True),
        Column("colour", Kind.CATEGORY, nullable=True, categories=("blue", "red")),
        Column("note", Kind.TEXT, nullable=True),
        Column("seen", Kind.TIME, nullable=True),
        Column("picture", Kind.FILE, nullable=True),
    )
)
ROWS = {
    "length": [1.5, None, -0.1],
    "count": [1, 2, 3],
    "colour": ["red", None, "007"],
    "note": ["", '\\a, "b"\r\n', None],
    "seen": ["2026-11-29T21:00:00.000000001Z", None, "2026-01-01"],
    "picture": [b"\0\xff", None, b""],
}

KNOWN = [18310819196166379729, 6970352546725084034]


def frame() -> pandas.DataFrame:
    return SCHEMA.check(pandas.DataFrame(ROWS, dtype=object))


def parsed(**data: Any) -> DataSpec:
    return parse_data(Block("", {"data": {"uri": "s3://datasets/a.csv", **data}}, ("data",)))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *((text, True) for text in ("0", "7", "-7", "+7", "0.5", ".5", "5.", "1e9", "-1.5E-3", str(2**53))),
        *((text, False) for text in ("", "007", "-07", "1_000", "1,5", "1 000", "nan", "inf", "0x1", "a", "1e", "٣")),
        (str(2**53 + 1), False),
        (str(-(2**60)), False),
    ],
)
def test_codes_ids_and_names_of_nothing_are_no_numbers(text: str, number: bool) -> None:
    assert is_number(text) is number


def test_a_checked_table_has_its_kinds_own_types() -> None:
    types = {name: str(kind) for name, kind in frame().dtypes.items()}
    assert types == {
        "length": "float64",
        "count": "int64",
        "colour": "object",
        "note": "object",
        "seen": "datetime64[ns, UTC]",
        "picture": "object",
    }
    assert frame()["colour"].tolist() == ["red", None, "007"]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("length", "wide", "row 2, column 'length': 'wide' is not a number"),
        ("length", "1_000", "'1_000' is not a number"),
        ("length", float("inf"), "inf is not a number"),
        ("count", 2.5, "row 2, column 'count': 2.5 is no whole number"),
        ("count", None, "column 'count': None is missing"),
        ("seen", "29.11.2026", "'29.11.2026' is no time by ISO 8601"),
        ("note", b"\0", "is no text"),
        ("picture", "a", "'a' is no content of a file"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_named_with_its_row_and_the_rule(
    column: str, value: Any, words: str
) -> None:
    rows = {**ROWS, column: [ROWS[column][0], value, ROWS[column][2]]}
    with pytest.raises(RunError) as refused:
        SCHEMA.check(pandas.DataFrame(rows, dtype=object))
    assert words in str(refused.value)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(RunError, match="lacks the column 'count'"):
        SCHEMA.check(pandas.DataFrame({"length": [1.0]}))


def test_a_schema_survives_its_json() -> None:
    assert Schema.from_json(SCHEMA.to_json()) == SCHEMA
    with pytest.raises(RunError, match="no schema"):
        Schema.from_json("{}")


def test_numbers_that_a_reader_made_of_categories_are_texts_again() -> None:
    schema = Schema((Column("a", Kind.CATEGORY),))
    assert schema.check(pandas.DataFrame({"a": [1.0, 2.0]}))["a"].tolist() == ["1", "2"]


def test_kept_rows_are_read_as_they_were() -> None:
    content = kept.to_csv(frame(), SCHEMA)
    read = kept.from_csv(content, SCHEMA)
    pandas.testing.assert_frame_equal(read, frame())
    assert kept.to_csv(read, SCHEMA) == content


def test_no_kept_row_is_a_table_too() -> None:
    nothing = frame().iloc[:0]
    pandas.testing.assert_frame_equal(
        kept.from_csv(kept.to_csv(nothing, SCHEMA), SCHEMA), nothing, check_index_type=False
    )


def test_kept_rows_of_another_schema_are_refused() -> None:
    with pytest.raises(RunError, match="have the columns"):
        kept.from_csv(kept.to_csv(frame(), SCHEMA), SCHEMA.without("note"))


def hashes(**columns: Any) -> Any:
    return split.row_hashes(pandas.DataFrame(columns), list(columns))


def test_the_hash_of_a_row_never_changes() -> None:
    """Else a new release would move rows that a champion has seen into the test set."""
    known = hashes(a=[1.0, None], b=["x", None], c=pandas.to_datetime(["2026-01-01", None], utc=True))
    assert known.tolist() == KNOWN


@pytest.mark.parametrize(
    "same",
    [
        {"a": [2, 0], "b": ["x", None]},
        {"a": [2.0, -0.0], "b": ["x", None]},
        {"a": ["2", "0"], "b": ["x", None]},
        {"a": ["2.0", "0.0"], "b": ["x", float("nan")]},
        {"b": ["x", None], "a": [2, 0]},
    ],
    ids=["whole", "fractions", "texts", "texts of fractions", "order"],
)
def test_a_row_has_one_hash_however_its_values_are_written(same: dict[str, Any]) -> None:
    assert hashes(**same).tolist() == hashes(a=[2, 0], b=["x", None]).tolist()


@pytest.mark.parametrize("other", [{"a": [3, 0]}, {"b": ["y", None]}, {"a": ["02", "0"]}])
def test_rows_that_say_something_else_have_another_hash(other: dict[str, Any]) -> None:
    first = {"a": [2, 0], "b": ["x", None]}
    assert hashes(**{**first, **other})[0] != hashes(**first)[0]


def test_a_part_of_the_rows_is_the_test_as_large_as_it_says() -> None:
    found = split.in_test(hashes(a=range(100_000)), 0.2)
    assert 0.19 < found.mean() < 0.21


def test_a_greater_fraction_and_more_data_take_nothing_from_the_test() -> None:
    small, large = hashes(a=range(1_000)), hashes(a=range(2_000))
    assert not (split.in_test(small, 0.2) & ~split.in_test(small, 0.25)).any()
    assert (split.in_test(large, 0.2)[:1_000] == split.in_test(small, 0.2)).all()


def test_equal_rows_are_on_one_side_and_another_salt_is_another_test() -> None:
    twice = hashes(a=[*range(500), *range(500)])
    found = split.in_test(twice, 0.3)
    assert (found[:500] == found[500:]).all()
    assert (split.in_test(twice, 0.3, "b") != found).any()


@pytest.mark.parametrize(("size", "whole"), [(20_000, True), (2_000, False)])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_sketches_tell_how_much_of_the_test_is_in_training(share: float, size: int, whole: bool) -> None:
    shared = int(4_000 * share)
    training = Sketch.of(hashes(a=range(10_000)), ["a"], size)
    test = Sketch.of(hashes(a=range(10_000 - shared, 14_000 - shared)), ["a"], size)
    found = split.overlap(Sketch.from_json(training.to_json()), test)
    assert found == pytest.approx(share, abs=0 if whole else 0.05)


def test_sketches_of_other_columns_tell_nothing() -> None:
    one, other = Sketch.of(hashes(a=[1]), ["a"]), Sketch.of(hashes(b=[1]), ["b"])
    assert split.overlap(one, other) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ByHash()),
        ({"test": {"fraction": 0.5, "by": ["c"], "salt": "s"}}, ByHash(fraction=0.5, by=("c",), salt="s")),
        ({"test": {"time": "ts", "from": "2026-09-01"}}, ByTime(column="ts", start="2026-09-01")),
        ({"test": {"uri": "sklearn:iris"}}, Given),
    ],
)
def test_a_test_set_is_chosen_in_one_of_three_ways(data: dict[str, Any], expected: Any) -> None:
    found = parsed(**data).test
    assert found == expected or type(found) is expected


def test_the_description_of_data_says_what_it_does_not_say() -> None:
    spec = parsed(target="y", task="regression", columns={"a": "text"}, csv={"header": ["a", "y"]})
    assert (spec.uri, spec.target, spec.task, spec.columns) == (
        "s3://datasets/a.csv",
        "y",
        Task.REGRESSION,
        {"a": Kind.TEXT},
    )
    assert (spec.csv.header, spec.csv.separator, spec.features, spec.sample) == (("a", "y"), ",", None, None)
    tracked = parsed(uri={"dvc": {"md5": "a" * 32 + ".dir", "remote": "s3://datasets/dvc"}})
    assert tracked.uri == f"dvc:s3://datasets/dvc#{'a' * 32}.dir"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": 1}, ["unknown key data.colour", "target"]),
        ({"uri": "http://a/b"}, ["data.uri", "'http://a/b'", "s3://<bucket>/<key>"]),
        ({"uri": "sklearn:flowers"}, ["data.uri", "'sklearn:flowers'", "iris, wine"]),
        *(
            ({"uri": f"s3://datasets/{key}"}, ["data.uri", key, "keys meet"])
            for key in ("raw//a", "raw/./a", "a/../b", "../a")
        ),
        ({"uri": {"dvc": {"md5": "x", "remote": "s3://datasets/d"}}}, ["data.uri.dvc.md5", "'x'", "32 digits"]),
        ({"format": "xlsx"}, ["data.format", "'xlsx'", "parquet"]),
        ({"csv": {"separator": ";;"}}, ["data.csv.separator", "';;'", "one character"]),
        ({"csv": {"decimal": ","}}, ["data.csv.decimal", "','", "separator"]),
        ({"csv": {"quote": ","}}, ["data.csv.quote", "','", "separator"]),
        ({"csv": {"quote": ""}}, ["data.csv.quote", "''", "one character, or null"]),
        ({"csv": {"encoding": "latin"}}, []),
        ({"csv": {"encoding": "utf-99"}}, ["data.csv.encoding", "'utf-99'", "cp1252"]),
        ({"csv": {"header": ["a", "a"]}}, ["data.csv.header", "distinct"]),
        ({"columns": {"a": "int"}}, ["data.columns.a", "'int'", "number, category"]),
        ({"target": "a", "features": ["a"]}, ["data.features", "'a'", "take it out"]),
        ({"test": {"fraction": 1}}, ["data.test.fraction", "1", "between 0 and 1"]),
        ({"test": {"time": "ts", "from": "yesterday"}}, ["data.test.from", "'yesterday'", "ISO 8601"]),
        ({"test": {"by": "customer"}}, ["data.test.by", "'customer'", "list"]),
        ({"sample": 0}, ["data.sample", "0", "10 or more"]),
        ({"sha256": "abc"}, ["data.sha256", "'abc'", "64 digits"]),
    ],
)
def test_a_mistake_in_the_description_names_the_key_the_value_and_the_rule(
    changes: dict[str, Any], words: list[str]
) -> None:
    if not words:
        parsed(**changes)
        return
    with pytest.raises(SpecError) as refused:
        parsed(**changes)
    for word in words:
        assert word in str(refused.value)


def test_a_folder_of_a_day_is_a_key_like_any_other() -> None:
    assert parsed(uri="s3://datasets/sales/dt=2026-11-29/").uri == "s3://datasets/sales/dt=2026-11-29/"


def test_a_sample_drawn_by_hashes_does_not_depend_on_the_order() -> None:
    values = list(range(1_000))
    shuffled = random.Random(1).sample(values, len(values))
    drawn = {order[0]: numpy.argsort(split.drawn(hashes(a=order), "sample"))[:10] for order in (values, shuffled)}
    assert {values[i] for i in drawn[values[0]]} == {shuffled[i] for i in drawn[shuffled[0]]}
