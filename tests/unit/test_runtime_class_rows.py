"""Classes of which the training rows or the test rows have none: said with numbers and a way out, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas
import pytest
from ml_runtime import candidate, class_rows, learning_spec, tables, tracking, train
from ml_runtime.errors import RunError
from ml_runtime.fitting import Program
from support import learned, s3
from support.tabled import described, read, rows

RARE = "number,species\n" + "".join(f"{i},{('a', 'b')[i % 2]}\n" for i in range(200))
TIMED = "time,number,species\n" + "".join(f"2026-0{1 + i // 25}-01,{i},{'aab'[i % 3]}\n" for i in range(100))
BY_TIME = {"test": {"time": "time", "from": "2026-04-01"}}


def said(training: Mapping[str, int], tested: Mapping[str, int], **data: Any) -> tuple[str, ...]:
    sides = (pandas.Series([n for n, count in side.items() for _ in range(count)]) for side in (training, tested))
    return class_rows.missing(described("sklearn:iris", **data), sorted({*training, *tested, "c"}), *sides)


@pytest.mark.parametrize(
    ("training", "tested", "data", "words"),
    [
        ({"a": 9, "b": 9, "c": 3}, {"a": 2, "b": 2, "c": 1}, {}, []),
        ({"a": 9, "b": 9, "c": 3}, {"a": 2, "b": 2}, {}, ["no test row is of the class c (3 in training)", "`salt`"]),
        (
            {"a": 9, "b": 9},
            {"a": 2, "c": 1},
            {},
            ["no training row is of the class c (1 in test)", "b (9 in training)"],
        ),
        ({"a": 9, "b": 9}, {"a": 2, "b": 2}, {"sample": 100}, ["the class c (0 in test)", "a greater `sample`"]),
        ({"a": 9, "c": 9}, {"a": 2, "b": 2}, {"test": {"by": ["x"]}}, ["other columns in its `by`"]),
        ({"a": 9, "c": 9}, {"a": 2, "b": 2}, BY_TIME, ["another `since`"]),
        (
            {"a": 9, "c": 9},
            {"a": 2, "b": 2},
            {"test": {"uri": "s3://bucket/key.csv"}},
            ["other data of the test's own"],
        ),
        ({"a": 9, "c": 9, **{f"d{i}": 1 for i in range(9)}}, {"a": 2, "c": 2}, {}, ["d4 (1 in training) and 4 more"]),
    ],
    ids=["none", "of the test", "of both", "of neither", "by groups", "by time", "given", "many"],
)
def test_a_class_that_a_side_lacks_is_named_with_its_rows_and_the_way_out(
    training: Mapping[str, int], tested: Mapping[str, int], data: dict[str, Any], words: list[str]
) -> None:
    found = "; ".join(said(training, tested, **data))
    assert [word for word in words if word not in found] == []
    assert bool(found) == bool(words)


@pytest.mark.parametrize(
    ("training", "test", "words"),
    [
        ({"a": 9}, {"a": 2, "c": 2}, "all 9 training rows have the class 'a'"),
        ({"a": 9, "c": 2}, {"c": 2}, "all 2 test rows have the class 'c'"),
    ],
)
def test_a_side_of_one_class_is_refused(training: Mapping[str, int], test: Mapping[str, int], words: str) -> None:
    with pytest.raises(RunError, match=words) as refused:
        said(training, test)
    assert "More rows of each class, another `fraction` or `salt`" in str(refused.value)


def test_a_table_says_it_before_anything_is_fitted(there: s3.Store, capsys: pytest.CaptureFixture[str]) -> None:
    late = TIMED + "2026-04-02,7,c\n"
    found = read(there, late, **BY_TIME)
    assert found.notes[0] == "no training row is of the class c (1 in test), which no model can answer"
    assert found.notes[0] in capsys.readouterr().out.splitlines()
    assert read(there, TIMED, **BY_TIME).notes == ()
    assert read(there, TIMED, task="regression", target="number", **BY_TIME).notes == ()


def test_rows_of_a_rare_class_move_no_other_row_and_are_moved_by_none(there: s3.Store) -> None:
    few, more = RARE + "1000,c\n1001,c\n", RARE + "".join(f"{i},c\n" for i in range(1000, 1040))
    before, after = read(there, few), read(there, more)
    for one, other in ((before.training, after.training), (before.test, after.test)):
        assert set(one.itertuples(index=False, name=None)) <= set(other.itertuples(index=False, name=None))
    assert len(rows(after)) == len(rows(before)) + 38
    assert after.notes == ()


def test_what_is_said_goes_with_the_model_to_its_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    spec, noted = learning_spec.parse(learned.DESCRIBED), learned.read(notes=("no test row is of the class 7", "wait"))
    assert candidate.verdict(spec, train.train(spec, Program())).reason.endswith("has its model")
    monkeypatch.setattr(tables, "read", lambda *_: noted)
    other = learning_spec.parse({**learned.DESCRIBED, "run": "flowers-2"})
    run = train.train(other, Program())
    assert run.data.tags[tracking.NOTES] == "no test row is of the class 7; wait"
    assert candidate.verdict(other, run).reason.endswith("has its model; no test row is of the class 7; wait")
