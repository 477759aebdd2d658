"""Rows and the part held out: deterministic, by content, fair to each class."""

from __future__ import annotations

import random

import pytest
from ml_runtime import data, dataset
from ml_runtime.errors import RunError

COLUMNS = ("length", "width", "species")
ROWS = [[str(index), str(index % 7), "setosa" if index % 2 else "virginica"] for index in range(100)]


def table(rows: list[list[str]]) -> data.Table:
    return data.Table(COLUMNS, rows)


def test_the_split_takes_the_same_part_of_each_class_and_loses_no_row() -> None:
    train, held_out = data.split(table(ROWS), "species", 0.2)
    assert (len(train.rows), len(held_out.rows)) == (80, 20)
    assert held_out.classes("species").count("setosa") == 10
    assert sorted(ROWS) == sorted(train.rows + held_out.rows)


def test_the_split_does_not_depend_on_the_order_of_the_rows() -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert data.split(table(ROWS), "species", 0.3) == data.split(table(shuffled), "species", 0.3)


def test_rows_that_are_added_move_few_others() -> None:
    before = data.split(table(ROWS), "species", 0.2)[1].rows
    added = [[f"9{index}", "1", "setosa"] for index in range(5)]
    after = data.split(table(ROWS + added), "species", 0.2)[1].rows
    assert len([row for row in before if row not in after]) <= 1


def test_equal_rows_are_counted_as_often_as_they_occur() -> None:
    rows = [["1", "1", "setosa"]] * 10 + [["2", "2", "virginica"]] * 10
    train, held_out = data.split(table(rows), "species", 0.5)
    assert (len(train.rows), len(held_out.rows)) == (10, 10)


def test_a_class_with_two_rows_is_on_both_sides() -> None:
    rows = [["1", "1", "a"], ["2", "1", "a"], ["3", "1", "b"], ["4", "1", "b"]]
    train, held_out = data.split(table(rows), "species", 0.01)
    assert {"a", "b"} == set(train.classes("species")) == set(held_out.classes("species"))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["1", "1", "a"], ["2", "1", "a"]], "one class only"),
        ([["1", "1", "a"], ["2", "1", "a"], ["3", "1", "b"]], "'b'.*one row only"),
    ],
)
def test_what_can_not_be_split_is_told(rows: list[list[str]], words: str) -> None:
    with pytest.raises(RunError, match=words):
        data.split(table(rows), "species", 0.2)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "no rows"), (b"1,2\n", "row 1 .* has 2 fields; 3 columns"), (b"\xff\xfe", "not text")],
)
def test_a_file_that_is_no_such_table_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(RunError, match=words):
        data.parse(content, COLUMNS)


def test_a_feature_that_is_no_number_names_row_and_column() -> None:
    with pytest.raises(RunError, match="row 2, column 'width': 'wide' is not a number"):
        data.parse(b"1,2,a\n1,wide,b\n", COLUMNS).features("species")


def test_a_table_survives_its_file() -> None:
    assert data.parse(table(ROWS).to_csv(), COLUMNS).rows == ROWS


def test_an_unknown_source_or_estimator_names_those_there_are() -> None:
    from ml_runtime import estimators

    with pytest.raises(RunError, match=r"'sklearn:roses'; there are sklearn:iris"):
        dataset.make("sklearn:roses")
    with pytest.raises(RunError, match=r"'oracle'; there are logistic-regression"):
        estimators.make("oracle", {}, 0)
