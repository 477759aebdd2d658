"""The arithmetic of metrics: each is prepared for the rows once, and gives its value with rows counted as one likes.

So a resample needs no copy of the rows. The numbers are scikit-learn's, a hundred times as fast: two thousand resamples
take seconds. Which metrics there are, and what each needs, is said by ml_runtime.metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan, sqrt
from typing import TYPE_CHECKING, Any

from ml_runtime.answers import Answers, MetricError

if TYPE_CHECKING:
    from ml_runtime.answers import Prepare, Scorer, Values


def rarer(target: Values) -> Any:
    """Of two classes the one with fewer rows; of equal ones the later by name: "1", not "0"."""
    import numpy

    names, sizes = numpy.unique(target.astype(str) if target.dtype == object else target, return_counts=True)
    return names[::-1][numpy.argmin(sizes[::-1])]


def _classes(target: Values) -> list[Any]:
    """Those of the rows, of which there must be two."""
    found = sorted(set(target.tolist()))
    if len(found) < 2:
        raise MetricError(
            f"needs two classes, and the test rows have {found[0]!r} only; take more test rows "
            "(`test` of the data), or the metric accuracy"
        )
    return found


def _positive(target: Values, positive: Any) -> Any:
    found = _classes(target)
    if positive is None and len(found) > 2:
        raise MetricError(
            f"is of one class against another, and the test rows have {len(found)}; name one as `positive`, or "
            "take macro_f1 or weighted_f1"
        )
    if positive not in (None, *found):
        raise MetricError(f"is to be of the class {positive!r}, which no test row has; `positive` is one of {found}")
    return rarer(target) if positive is None else positive


def mean(losses: Callable[[Values, Answers], Values], finish: Callable[[float], float] = float) -> Prepare:
    """Of one number a row."""

    def prepare(target: Values, answers: Answers, _positive: Any) -> Scorer:
        each = losses(target, answers).astype(float)
        return lambda counts: finish(float(each @ counts / counts.sum()))

    return prepare


def of_table(value: Callable[[Values], float]) -> Prepare:
    """Of the table of rows by true class and by answer."""

    def prepare(target: Values, answers: Answers, _positive: Any) -> Scorer:
        _classes(target)
        return _tabled(target, answers.labels, value)

    return prepare


def _tabled(target: Values, labels: Values, value: Callable[[Values], float]) -> Scorer:
    import numpy

    names = {name: place for place, name in enumerate(sorted({*target.tolist(), *labels.tolist()}))}
    size = len(names)
    cells = numpy.array([names[true] * size + names[given] for true, given in zip(target, labels, strict=True)])
    return lambda counts: value(numpy.bincount(cells, counts, size * size).reshape(size, size))


def balanced_accuracy(table: Values) -> float:
    there = table.sum(axis=1) > 0
    return float((table.diagonal()[there] / table.sum(axis=1)[there]).mean())


def _by_class(table: Values) -> tuple[Values, Values, Values]:
    """Right answers, rows and answers of each class that has rows or answers."""
    right, rows, answers = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    there = rows + answers > 0
    return right[there], rows[there], answers[there]


def recall(table: Values) -> float:
    right, rows, _ = _by_class(table)
    return float((right / rows.clip(1)).mean())


def precision(table: Values) -> float:
    right, _, answers = _by_class(table)
    return float((right / answers.clip(1)).mean())


def macro_f1(table: Values) -> float:
    right, rows, answers = _by_class(table)
    return float((2 * right / (rows + answers)).mean())


def weighted_f1(table: Values) -> float:
    right, rows, answers = _by_class(table)
    return float((2 * right / (rows + answers)) @ rows / rows.sum())


def mcc(table: Values) -> float:
    right, rows, answers = _by_class(table)
    all_rows = rows.sum()
    spread = sqrt((all_rows**2 - rows @ rows) * (all_rows**2 - answers @ answers))
    return float((right.sum() * all_rows - rows @ answers) / spread) if spread else 0.0


def f1(target: Values, answers: Answers, positive: Any) -> Scorer:
    """Of one class; nan where there is neither a row nor an answer of it."""
    chosen = _positive(target, positive)
    true, given = (target == chosen).astype(float), (answers.labels == chosen).astype(float)

    def score(counts: Values) -> float:
        both = (true + given) @ counts
        return float(2 * (true * given) @ counts / both) if both else nan

    return score


def ranking(value: Callable[[Values, Values], float]) -> Prepare:
    """Each class against the rest by its probability, the mean of all; of two classes the positive one alone."""

    def prepare(target: Values, answers: Answers, positive: Any) -> Scorer:
        found = _classes(target)
        chosen = found if positive is None and len(found) > 2 else [_positive(target, positive)]
        sides = [_ranked(target == each, answers.of_class(each), value) for each in chosen]

        def score(counts: Values) -> float:
            known = [number for number in (side(counts) for side in sides) if isfinite(number)]
            return sum(known) / len(known) if known else nan

        return score

    return prepare


def _ranked(right: Values, probability: Values, value: Callable[[Values, Values], float]) -> Scorer:
    """`value` of the right and the wrong rows above each threshold; nan where all are right, or none is."""
    import numpy

    order = numpy.argsort(-probability, kind="stable")
    ends = numpy.append(numpy.flatnonzero(numpy.diff(probability[order])), len(order) - 1)
    right = right[order].astype(float)

    def score(counts: Values) -> float:
        ordered = counts[order]
        true, all_rows = numpy.cumsum(ordered * right)[ends], numpy.cumsum(ordered)[ends]
        wrong = all_rows - true
        return value(true, wrong) if true[-1] and wrong[-1] else nan

    return score


def roc_auc(true: Values, wrong: Values) -> float:
    import numpy

    area = numpy.trapezoid(numpy.append(0, true), numpy.append(0, wrong))
    return float(area / true[-1] / wrong[-1])


def pr_auc(true: Values, wrong: Values) -> float:
    """The average precision, without interpolation."""
    import numpy

    return float(numpy.diff(true, prepend=0) @ (true / (true + wrong).clip(1)) / true[-1])


def _of_true_class(target: Values, answers: Answers) -> Values:
    """The probability that each row's class was given."""
    import numpy

    found = numpy.zeros(len(target))
    for each in set(target.tolist()):
        found[target == each] = answers.of_class(each)[target == each]
    return found


def log_losses(target: Values, answers: Answers) -> Values:
    import numpy

    smallest = numpy.finfo(float).eps  # as scikit-learn has it: one wrong answer without a doubt is no infinity
    losses: Values = -numpy.log(numpy.clip(_of_true_class(target, answers), smallest, 1 - smallest))
    return losses


def brier_losses(target: Values, answers: Answers) -> Values:
    """The squared distance to the truth; half of it for two classes, as the field has it."""
    probabilities: Any = answers.probabilities
    losses: Values = (probabilities**2).sum(axis=1) - 2 * _of_true_class(target, answers) + 1
    return losses / 2 if probabilities.shape[1] == 2 else losses


def errors(target: Values, answers: Answers) -> Values:
    found: Values = abs(answers.labels - target)
    return found


def relative_errors(target: Values, answers: Answers) -> Values:
    if zeros := int((target == 0).sum()):
        raise MetricError(f"divides by the true value, which is 0 in {zeros} of {len(target)} rows; take mae or rmse")
    found: Values = errors(target, answers) / abs(target)
    return found


def median(target: Values, answers: Answers, _positive: Any) -> Scorer:
    import numpy

    found = errors(target, answers)
    order = numpy.argsort(found)
    ordered = found[order]

    def score(counts: Values) -> float:
        until = numpy.cumsum(counts[order])
        low, high = numpy.searchsorted(until, [until[-1] / 2, until[-1] / 2 + 0.5])
        return float(ordered[[low, high]].mean())

    return score


def r2(target: Values, answers: Answers, _positive: Any) -> Scorer:
    if len(set(target.tolist())) < 2:
        raise MetricError("needs rows that differ, and all test rows have the same target; take mae or rmse")
    squares = errors(target, answers) ** 2

    def score(counts: Values) -> float:
        away = target - target @ counts / counts.sum()
        spread = away**2 @ counts
        return float(1 - squares @ counts / spread) if spread else nan

    return score
