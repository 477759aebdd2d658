"""What models are judged by: known numbers, and which of two is better."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ml_runtime.metrics import METRICS, Task, scores


@pytest.mark.parametrize(
    ("metric", "target", "answers", "expected"),
    [
        ("accuracy", ["a", "b", "b", "b"], ["a", "b", "b", "a"], 0.75),
        ("accuracy", [0, 1], ["0", "2"], 0.5),
        ("recall", ["a", "b", "b", "b"], ["a", "b", "a", "a"], (1 + 1 / 3) / 2),
        ("recall", ["a", "a"], ["b", "b"], 0.0),
        ("rmse", [1.0, 2.0], [1.0, 4.0], math.sqrt(2)),
        ("mae", [1.0, 2.0], [1.0, 4.0], 1.0),
        ("r2", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 1.0),
        ("r2", [1.0, 2.0, 3.0], [2.0, 2.0, 2.0], 0.0),
        ("r2", [1.0, 1.0], [1.0, 2.0], 0.0),
    ],
)
def test_a_metric_is_the_number_of_the_textbook(metric: str, target: Any, answers: Any, expected: float) -> None:
    assert METRICS[metric].of(target, answers) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "better", "worse"),
    [("accuracy", 0.9, 0.8), ("recall", 0.9, 0.8), ("r2", 0.9, -1.0), ("rmse", 0.1, 0.2), ("mae", 0.1, 0.2)],
)
def test_each_metric_knows_which_of_two_is_better(metric: str, better: float, worse: float) -> None:
    chosen = METRICS[metric]
    assert (chosen.better(better, worse), chosen.better(worse, better), chosen.better(better, better)) == (
        True, False, False,
    )  # fmt: skip
    assert (chosen.reaches(better, worse), chosen.reaches(worse, better), chosen.reaches(worse, worse)) == (
        True, False, True,
    )  # fmt: skip


def test_a_task_has_its_own_metrics() -> None:
    assert set(scores(Task.CLASSIFICATION, ["a"], ["a"])) == {"accuracy", "recall"}
    assert set(scores(Task.REGRESSION, [1.0], [1.0])) == {"rmse", "mae", "r2"}
