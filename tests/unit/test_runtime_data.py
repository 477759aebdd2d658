"""Rows and the part held out: deterministic, by content, fair to each class."""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import Any

import pytest
from ml_runtime import data, dataset, estimators
from ml_runtime.errors import RunError
from ml_runtime.metrics import Task

CLASSES, NUMBERS = Task.CLASSIFICATION, Task.REGRESSION
COLUMNS = ("length", "width", "species")
ROWS = [[str(index), str(index % 7), "setosa" if index % 2 else "virginica"] for index in range(100)]


def table(rows: list[list[str]]) -> data.Table:
    return data.Table(COLUMNS, rows)


def test_the_split_takes_the_same_part_of_each_class_and_loses_no_row() -> None:
    train, held_out = data.split(table(ROWS), "species", CLASSES, 0.2)
    assert (len(train.rows), len(held_out.rows)) == (80, 20)
    assert held_out.classes("species").count("setosa") == 10
    assert sorted(ROWS) == sorted(train.rows + held_out.rows)


def test_the_split_does_not_depend_on_the_order_of_the_rows() -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert data.split(table(ROWS), "species", CLASSES, 0.3) == data.split(table(shuffled), "species", CLASSES, 0.3)


def test_rows_that_are_added_move_few_others() -> None:
    before = data.split(table(ROWS), "species", CLASSES, 0.2)[1].rows
    added = [[f"9{index}", "1", "setosa"] for index in range(5)]
    after = data.split(table(ROWS + added), "species", CLASSES, 0.2)[1].rows
    assert len([row for row in before if row not in after]) <= 1


def test_equal_rows_are_counted_as_often_as_they_occur() -> None:
    rows = [["1", "1", "setosa"]] * 10 + [["2", "2", "virginica"]] * 10
    train, held_out = data.split(table(rows), "species", CLASSES, 0.5)
    assert (len(train.rows), len(held_out.rows)) == (10, 10)


def test_a_class_with_two_rows_is_on_both_sides() -> None:
    rows = [["1", "1", "a"], ["2", "1", "a"], ["3", "1", "b"], ["4", "1", "b"]]
    train, held_out = data.split(table(rows), "species", CLASSES, 0.01)
    assert {"a", "b"} == set(train.classes("species")) == set(held_out.classes("species"))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["1", "1", "a"], ["2", "1", "a"]], "one value only"),
        ([["1", "1", "a"], ["2", "1", "a"], ["3", "1", "b"]], "'b'.*one row only"),
    ],
)
def test_what_can_not_be_split_is_told(rows: list[list[str]], words: str) -> None:
    with pytest.raises(RunError, match=words):
        data.split(table(rows), "species", CLASSES, 0.2)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "no rows"), (b"1,2\n", "row 1 .* has 2 fields; 3 columns"), (b"\xff\xfe", "not text")],
)
def test_a_file_that_is_no_such_table_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(RunError, match=words):
        data.parse(content, COLUMNS)


def test_numbers_to_predict_are_split_without_regard_to_their_values() -> None:
    train, held_out = data.split(table(ROWS), "length", NUMBERS, 0.2)
    assert (len(train.rows), len(held_out.rows)) == (80, 20)
    assert sorted(ROWS) == sorted(train.rows + held_out.rows)


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        (["0", "2", "1"], [0, 2, 1]),
        (["0.0", "2.0", "1e0"], [0, 2, 1]),
        (["0", "1", "a"], ["0", "1", "a"]),
        (["0.5", "1", "nan"], ["0.5", "1", "nan"]),
        (["inf", "1"], ["inf", "1"]),
    ],
)
def test_classes_that_are_whole_numbers_are_numbers(written: list[str], classes: list[Any]) -> None:
    assert data.Table(("species",), [[each] for each in written]).values("species", CLASSES) == classes


def test_numbers_to_predict_are_read_as_such() -> None:
    assert data.Table(("size",), [["1"], ["2.5"]]).values("size", NUMBERS) == [1.0, 2.5]


def test_a_feature_that_is_no_number_names_row_and_column() -> None:
    with pytest.raises(RunError, match="row 2, column 'width': 'wide' is not a number"):
        data.parse(b"1,2,a\n1,wide,b\n", COLUMNS).numbers("width")


def test_a_table_survives_its_file() -> None:
    assert data.parse(table(ROWS).to_csv(), COLUMNS).rows == ROWS


def test_an_unknown_source_or_estimator_names_those_there_are() -> None:
    with pytest.raises(RunError, match=r"'sklearn:roses'; there are sklearn:iris"):
        dataset.make("sklearn:roses")
    with pytest.raises(RunError, match=r"'oracle' for classification; there are logistic-regression"):
        estimators.make("oracle", CLASSES, {}, 0)
    with pytest.raises(RunError, match=r"'logistic-regression' for regression; there are linear-regression"):
        estimators.make("logistic-regression", NUMBERS, {}, 0)


@pytest.mark.parametrize(
    ("name", "classes", "taken"),
    [
        ("xgboost", [0, 1, 2, 1], True),
        ("xgboost", [1, 2, 3], False),
        ("xgboost", ["a", "b"], False),
        ("random-forest", ["a", "b"], True),
    ],
)
def test_an_estimator_that_counts_its_classes_takes_no_others(name: str, classes: list[Any], taken: bool) -> None:
    with nullcontext() if taken else pytest.raises(RunError, match="takes the classes 0, 1, 2"):
        estimators.check_classes(name, classes)
