"""How sure a score and a difference of two scores are: the paired bootstrap over the same test rows.

Both models are scored on the same resampled rows, so that what makes a row hard for both cancels out. Rows of one
group, such as a customer, are drawn together: they are alike, and many rows of few groups say little. Draws are
seeded by the test rows themselves: the same question has the same answer. One resample is held at a time, as how often
it has each row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_runtime.answers import Answers, MetricError
from ml_runtime.metrics import Metric

if TYPE_CHECKING:
    from ml_runtime.answers import Values

RESAMPLES, LEAST = 2000, 200
SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value, and what it stays above and below, each with the asked confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models on the same rows; or one alone."""

    candidate: Interval
    champion: Interval | None = None
    difference: Interval | None = None
    """What the candidate improves: above 0 it is better, whether less is or more."""
    resamples: int = 0
    """Those in which the metric has a value: fewer than RESAMPLES where the time was over before."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is compared: by which metric, how sure, and for how long it may be drawn."""

    metric: Metric
    digest: str
    """Of the test rows, in hexadecimal: the seed."""
    confidence: float
    positive: str | None = None
    groups: Values | None = None
    """The group of each row, a number from 0; None: each row is one of its own."""
    seconds: float = SECONDS


def compare(question: Question, target: Values, candidate: Answers, champion: Answers | None = None) -> Comparison:
    """The scores of the models, and the intervals of them and of their difference.

    Raises:
        MetricError: the metric has no value on these rows, or in most resamples of them.
    """
    import numpy

    models = [candidate, champion] if champion else [candidate]
    whole = [question.metric.of(target, each, question.positive) for each in models]
    drawn = numpy.array(list(_draws(question, target, models)))
    known = drawn[numpy.isfinite(drawn).all(axis=1)]
    if not numpy.isfinite(whole).all():
        raise MetricError(f"{question.metric.name} is {whole[0]}, which is no finite number")
    if len(known) < len(drawn) / 2:
        raise MetricError(
            f"{question.metric.name} has a value in {len(known)} of {len(drawn)} resamples of the {len(target)} test "
            "rows: they have too few of a class; take more test rows (`test` of the data)"
        )
    own = _interval(whole[0], known[:, 0], question.confidence)
    if champion is None:
        return Comparison(candidate=own, resamples=len(known))
    better = question.metric.improvement
    return Comparison(
        candidate=own,
        champion=_interval(whole[1], known[:, 1], question.confidence),
        difference=_interval(better(*whole), better(known[:, 0], known[:, 1]), question.confidence),
        resamples=len(known),
    )


def _interval(value: float, drawn: Values, confidence: float) -> Interval:
    import numpy

    low = numpy.quantile(drawn, 1 - confidence, method="lower")
    high = numpy.quantile(drawn, confidence, method="higher")
    return Interval(value=value, low=float(low), high=float(high))


def _draws(question: Question, target: Values, models: list[Answers]) -> Iterator[list[float]]:
    """The models' scores in one resample after another, until there are enough or the time is over."""
    import numpy

    draw, end = numpy.random.default_rng(int(question.digest, 16)), time.monotonic() + question.seconds
    scorers = [question.metric.on(target, each, question.positive) for each in models]
    groups = numpy.arange(len(target)) if question.groups is None else question.groups
    drawable = int(groups.max()) + 1
    for done in range(RESAMPLES):
        if done >= LEAST and time.monotonic() > end:
            return
        drawn = draw.integers(0, drawable, drawable)
        counts = numpy.bincount(drawn, minlength=drawable).astype(float)[groups]
        yield [score(counts) for score in scorers]
