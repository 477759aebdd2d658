"""A metric of one's own: a file beside the run's description with a function `score(target, answers)`.

    LESS_IS_BETTER = True

    def score(target, answers) -> float:
        return float(abs(answers.labels - target).max())

`target` has the true values, `answers` are ml_runtime.metrics.Answers: `labels`, and `probabilities` with a column for
each of `classes` where the model can tell. Whatever the file raises is the user's error, said in one sentence.
"""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ml_runtime.answers import Answers, MetricError
from ml_runtime.errors import RunError
from ml_runtime.metrics import METRICS, Metric

if TYPE_CHECKING:
    from ml_runtime.answers import Scorer, Values

T = TypeVar("T")


def named(name: str, folder: Path) -> Metric:
    """The metric of this name, or that of the file of this name in the folder.

    Raises:
        RunError: there is no such file, or it lacks what makes it a metric.
    """
    return _load(folder / name) if name.endswith(".py") else METRICS[name]


def _load(path: Path) -> Metric:
    if not path.is_file():
        raise RunError(
            f"gate.metric is {path.name!r}, and there is no such file in {path.parent}; ship it with the run"
        )
    found = _called(path, lambda: runpy.run_path(str(path)))
    score, less = found.get("score"), found.get("LESS_IS_BETTER")
    if not callable(score) or not isinstance(less, bool):
        raise RunError(
            f"{path.name} must have a function score(target, answers) and LESS_IS_BETTER = True or False; it has "
            f"{sorted(name for name in found if not name.startswith('__'))}"
        )

    def prepare(target: Values, answers: Answers, _positive: Any) -> Scorer:
        return lambda counts: _score(
            path, score, target, answers, counts.nonzero()[0].repeat(counts[counts > 0].astype(int))
        )

    return Metric(name=path.stem, task=None, prepare=prepare, less_is_better=less)


def _score(path: Path, score: Callable[..., Any], target: Values, answers: Answers, rows: Values) -> float:
    value = _called(path, lambda: score(target[rows], answers.at(rows)))
    try:
        return float(value)
    except (TypeError, ValueError) as wrong:
        raise MetricError(f"{path.name}: score gave {value!r}, not a number") from wrong


def _called(path: Path, call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as broken:
        lines = [frame.lineno for frame in traceback.extract_tb(broken.__traceback__) if frame.filename == str(path)]
        where = f"{path.name}, line {lines[-1]}" if lines else path.name
        raise RunError(f"{where}: {type(broken).__name__}: {broken}") from broken
