"""What a model is judged by: each metric by name, what it needs and which of two values is better.

They are the same in training and gate. Their arithmetic is ml_runtime.arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

from ml_runtime import arithmetic
from ml_runtime.answers import Answers, MetricError
from ml_runtime.data_spec import Task

if TYPE_CHECKING:
    from ml_runtime.answers import Prepare, Scorer, Values


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number for how well the answers fit."""

    name: str
    prepare: Prepare
    task: Task | None
    """None: of any, as one of one's own is."""
    needs_probabilities: bool = False
    less_is_better: bool = False

    def of(self, target: Values, answers: Answers, positive: str | None = None) -> float:
        """The value on all rows.

        Raises:
            MetricError: there is none.
        """
        import numpy

        return self.on(target, answers, positive)(numpy.ones(len(target)))

    def on(self, target: Values, answers: Answers, positive: str | None = None) -> Scorer:
        """What gives the value with each row counted anyhow; by default the rarer class is the positive one.

        Raises:
            MetricError: there is none on all rows.
        """
        try:
            _check_answers(self, answers)
            return self.prepare(target, answers, positive)
        except MetricError as none:
            raise MetricError(f"{self.name} {none}") from none

    def better(self, one: float, other: float) -> bool:
        """What is not finite is better than nothing, and worse than all that is."""
        if not (isfinite(one) and isfinite(other)):
            return isfinite(one)
        return one < other if self.less_is_better else one > other

    def reaches(self, score: float, threshold: float) -> bool:
        return isfinite(score) and not self.better(threshold, score)

    def improvement(self, one: Any, other: Any) -> Any:
        """By how much one is better than the other."""
        return other - one if self.less_is_better else one - other


def scores(task: Task, target: Values, answers: Answers) -> dict[str, float]:
    """All metrics of the task by name; left out are those that have no value here."""
    found = {}
    for name, metric in METRICS.items():
        if metric.task is task:
            try:
                found[name] = metric.of(target, answers)
            except MetricError:
                continue
    return {name: value for name, value in found.items() if isfinite(value)}


def _check_answers(metric: Metric, answers: Answers) -> None:
    import numpy

    if metric.needs_probabilities and answers.probabilities is None:
        others = ", ".join(name for name, each in METRICS.items() if each.task and not each.needs_probabilities)
        raise MetricError(
            f"needs probabilities, and the model gives none; give it a predict_proba, or judge it by one of {others}"
        )
    for numbers in (answers.labels, answers.probabilities):
        if numbers is not None and numbers.dtype.kind == "f":
            bad = int((~numpy.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1)).sum())
            if bad:
                raise MetricError(
                    f"has no value: the model's answer to {bad} of {len(numbers)} rows is no finite number"
                )


def _named(name: str, task: Task, prepare: Prepare, *, errors: bool = False, probabilities: bool = False) -> Metric:
    return Metric(name=name, task=task, prepare=prepare, less_is_better=errors, needs_probabilities=probabilities)


_CLASSES, _NUMBERS = Task.CLASSIFICATION, Task.REGRESSION
METRICS: Mapping[str, Metric] = {
    each.name: each
    for each in (
        _named("accuracy", _CLASSES, arithmetic.mean(lambda target, answers: target == answers.labels)),
        _named("balanced_accuracy", _CLASSES, arithmetic.of_table(arithmetic.balanced_accuracy)),
        _named("macro_f1", _CLASSES, arithmetic.of_table(arithmetic.macro_f1)),
        _named("weighted_f1", _CLASSES, arithmetic.of_table(arithmetic.weighted_f1)),
        _named("f1", _CLASSES, arithmetic.f1),
        _named("precision", _CLASSES, arithmetic.of_table(arithmetic.precision)),
        _named("recall", _CLASSES, arithmetic.of_table(arithmetic.recall)),
        _named("mcc", _CLASSES, arithmetic.of_table(arithmetic.mcc)),
        _named("roc_auc", _CLASSES, arithmetic.ranking(arithmetic.roc_auc), probabilities=True),
        _named("pr_auc", _CLASSES, arithmetic.ranking(arithmetic.pr_auc), probabilities=True),
        _named("log_loss", _CLASSES, arithmetic.mean(arithmetic.log_losses), errors=True, probabilities=True),
        _named("brier", _CLASSES, arithmetic.mean(arithmetic.brier_losses), errors=True, probabilities=True),
        _named(
            "rmse",
            _NUMBERS,
            arithmetic.mean(lambda target, answers: arithmetic.errors(target, answers) ** 2, sqrt),
            errors=True,
        ),
        _named("mae", _NUMBERS, arithmetic.mean(arithmetic.errors), errors=True),
        _named("mape", _NUMBERS, arithmetic.mean(arithmetic.relative_errors), errors=True),
        _named("median_absolute_error", _NUMBERS, arithmetic.median, errors=True),
        _named("r2", _NUMBERS, arithmetic.r2),
    )
}
