"""How sure a difference of two models is: by the paired bootstrap, on rows that are made up."""

from __future__ import annotations

import time
from typing import Any

import numpy
import pytest
from ml_runtime import bootstrap
from ml_runtime.answers import Answers, MetricError
from ml_runtime.bootstrap import Question, compare
from ml_runtime.metrics import METRICS


def asked(metric: str = "accuracy", confidence: float = 0.95, digest: str = "ab12", **other: Any) -> Question:
    return Question(metric=METRICS[metric], digest=digest, confidence=confidence, **other)


def right(share: float, rows: int, seed: int) -> tuple[Any, Answers]:
    """A target of one class after another, and answers that are right so often."""
    target = numpy.array(["a", "b"] * (rows // 2), dtype=object)
    wrong = numpy.random.default_rng(seed).random(rows) >= share
    return target, Answers(labels=numpy.where(wrong, "c", target).astype(object))


def test_the_same_question_has_the_same_answer_and_other_rows_have_another() -> None:
    target, one = right(0.8, 200, 1)
    _, other = right(0.7, 200, 2)
    assert compare(asked(), target, one, other) == compare(asked(), target, one, other)
    assert compare(asked(), target, one, other) != compare(asked(digest="cd"), target, one, other)


def test_the_difference_is_an_improvement_whether_less_is_better_or_more() -> None:
    target = numpy.arange(100.0)
    near, far = Answers(labels=target + 1.0), Answers(labels=target + 2.0)
    found = compare(asked("rmse"), target, near, far)
    assert found.difference is not None
    assert (found.difference.value, found.difference.low, found.difference.high) == (1.0, 1.0, 1.0)
    target, good = right(0.9, 100, 1)
    _, bad = right(0.2, 100, 2)
    better, worse = compare(asked(), target, good, bad).difference, compare(asked(), target, bad, good).difference
    assert better is not None
    assert worse is not None
    assert better.low > 0 > worse.high


def test_an_interval_is_as_wide_as_theory_says() -> None:
    target, given = right(0.8, 1000, 3)
    found = compare(asked(), target, given).candidate
    by_theory = 1.645 * (found.value * (1 - found.value) / 1000) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(by_theory, rel=0.1)


def test_many_rows_of_few_groups_say_no_more_than_the_groups() -> None:
    target, given = right(0.8, 20, 3)
    alone = compare(asked(), target, given).candidate
    again = Answers(labels=numpy.repeat(given.labels, 50))
    many = compare(asked(groups=numpy.repeat(numpy.arange(20), 50)), numpy.repeat(target, 50), again).candidate
    assert many == alone
    assert compare(asked(), numpy.repeat(target, 50), again).candidate.low > alone.low


def test_what_is_hard_for_both_models_cancels_out() -> None:
    target, one = right(0.5, 400, 4)
    labels = one.labels.copy()
    labels[numpy.flatnonzero(labels == "c")[:12]] = target[numpy.flatnonzero(labels == "c")[:12]]
    found = compare(asked(), target, Answers(labels=labels), one)
    assert found.champion is not None
    assert found.difference is not None
    assert found.candidate.low < found.champion.high  # each alone says nothing
    assert found.difference.low > 0


def test_a_model_that_is_two_points_worse_hardly_ever_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """By chance alone: of 300 such models, on 36 and on 200 rows, fewer than 6 in 100 are found to be better."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)
    for rows in (36, 200):
        wins = 0
        for seed in range(300):
            target, worse = right(0.94, rows, 2 * seed)
            _, better = right(0.96, rows, 2 * seed + 1)
            found = compare(asked(digest=f"{seed:x}"), target, worse, better).difference
            assert found is not None
            wins += found.low > 0
        assert wins / 300 < 0.06, rows


def test_a_metric_that_takes_long_is_drawn_less_often_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "LEAST", 20)
    target, given = right(0.8, 100, 1)
    assert compare(asked(seconds=0.0), target, given).resamples == 20
    assert compare(asked(), target, given).resamples == bootstrap.RESAMPLES


def test_two_hundred_thousand_rows_are_drawn_one_resample_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setattr(bootstrap, "RESAMPLES", 20)
    target, one = right(0.8, 200_000, 1)
    _, other = right(0.8, 200_000, 2)
    tracemalloc.start()
    began = time.process_time()
    compare(asked("macro_f1"), target, one, other)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert time.process_time() - began < 20


def test_rows_with_too_few_of_a_class_have_no_interval() -> None:
    target = numpy.array(["no", "yes"], dtype=object)
    given = Answers(labels=target, probabilities=numpy.array([[0.9, 0.1], [0.2, 0.8]]), classes=("no", "yes"))
    found = compare(asked("roc_auc"), target.repeat(3), given.at(numpy.array([0, 1]).repeat(3)))
    assert found.resamples < bootstrap.RESAMPLES
    few = numpy.array([0] * 99 + [1])
    lone = Answers(labels=target[few], probabilities=numpy.eye(2)[few], classes=("no", "yes"))
    assert compare(asked("roc_auc"), target[few], lone).resamples > 0.5 * bootstrap.RESAMPLES
    with pytest.raises(MetricError, match=r"has a value in \d+ of 2000 resamples .* take more test rows"):
        compare(asked("roc_auc"), target, given)


def test_a_value_that_is_not_finite_is_none() -> None:
    with pytest.raises(MetricError, match="no finite number"):
        compare(asked("rmse"), numpy.array([1.0, 2.0]), Answers(labels=numpy.array([numpy.nan, 2.0])))
