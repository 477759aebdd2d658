"""What a model is judged by, as plain functions of the true values and the answers, the same in training and gate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Values = Sequence[Any]


class Task(StrEnum):
    """What is predicted."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number for how well the answers fit."""

    task: Task
    of: Callable[[Values, Values], float]
    """Of the true values and the answers."""
    less_is_better: bool = False

    def better(self, one: float, other: float) -> bool:
        return one < other if self.less_is_better else one > other

    def reaches(self, score: float, threshold: float) -> bool:
        return not self.better(threshold, score)


def accuracy(target: Values, answers: Values) -> float:
    """The part of all rows that is right."""
    return sum(_same(target, answers)) / len(target)


def recall(target: Values, answers: Values) -> float:
    """The part of each class that is right, the mean of all classes: a rare one counts as much as a frequent one."""
    right = Counter(str(each) for each, same in zip(target, _same(target, answers), strict=True) if same)
    sizes = Counter(map(str, target))
    return sum(right[each] / size for each, size in sizes.items()) / len(sizes)


def rmse(target: Values, answers: Values) -> float:
    """The root of the mean squared error."""
    return math.sqrt(sum(error**2 for error in _errors(target, answers)) / len(target))


def mae(target: Values, answers: Values) -> float:
    """The mean absolute error."""
    return sum(map(abs, _errors(target, answers))) / len(target)


def r2(target: Values, answers: Values) -> float:
    """The part of the variance that is explained; 0 where there is none to explain."""
    mean = sum(target) / len(target)
    variance = sum((each - mean) ** 2 for each in target)
    return 1 - sum(error**2 for error in _errors(target, answers)) / variance if variance else 0.0


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric(task=Task.CLASSIFICATION, of=accuracy),
    "recall": Metric(task=Task.CLASSIFICATION, of=recall),
    "rmse": Metric(task=Task.REGRESSION, of=rmse, less_is_better=True),
    "mae": Metric(task=Task.REGRESSION, of=mae, less_is_better=True),
    "r2": Metric(task=Task.REGRESSION, of=r2),
}


def scores(task: Task, target: Values, answers: Values) -> dict[str, float]:
    """All metrics of the task by name."""
    return {name: metric.of(target, answers) for name, metric in METRICS.items() if metric.task is task}


def _same(target: Values, answers: Values) -> list[bool]:
    """Classes as they are written: a server answers with its own kinds of numbers."""
    return [str(true) == str(answer) for true, answer in zip(target, answers, strict=True)]


def _errors(target: Values, answers: Values) -> list[float]:
    return [float(answer) - float(true) for true, answer in zip(target, answers, strict=True)]
