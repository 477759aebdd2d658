"""Parts of the training rows: those that a model is fitted on, and those that it is scored on meanwhile.

They are cut as the test rows were cut from all: rows of one group stay together, and a time is predicted from what was
before it. The test rows are never among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ml_runtime import learning, metrics
from ml_runtime.data_spec import ByTime, Task
from ml_runtime.errors import RunError

if TYPE_CHECKING:
    from numpy import ndarray

    from ml_runtime.fitting import Fit
    from ml_runtime.learning_spec import LearningSpec, TrainSpec
    from ml_runtime.tables import Read

    Places = ndarray[Any, Any]


def of(spec: LearningSpec, table: Read, count: int) -> Iterator[tuple[Places, Places]]:
    """So many pairs of places of rows: to fit on, and to score on.

    Raises:
        RunError: there are too few rows, or groups, for so many.
    """
    from sklearn import model_selection

    by_time, groups = isinstance(spec.data.test, ByTime), table.groups
    classes = spec.data.task is Task.CLASSIFICATION
    if by_time:
        splitter: Any = model_selection.TimeSeriesSplit(count)
    elif groups is not None:
        splitter = model_selection.StratifiedGroupKFold(count) if classes else model_selection.GroupKFold(count)
    else:
        kind = model_selection.StratifiedKFold if classes else model_selection.KFold
        splitter = kind(count, shuffle=True, random_state=spec.seed)
    try:
        yield from splitter.split(table.training, table.training[spec.target], groups)
    except ValueError as few:
        raise RunError(f"the training rows can't be cut into {count} parts: {few}") from few


def one(spec: LearningSpec, table: Read, share: float) -> tuple[Places, Places]:
    """One such pair, with about this share of the rows to score on: of a time the last ones.

    Raises:
        RunError: there are too few rows, or groups.
    """
    parts = max(2, round(1 / share))
    if isinstance(spec.data.test, ByTime):
        *_, last = of(spec, table, max(2, parts - 1))
        return last
    return next(of(spec, table, parts))


def scores(spec: TrainSpec, table: Read, fit: Fit) -> dict[str, float]:
    """Mean and standard deviation of each metric, of models that were fitted on all parts but the one that each is
    scored on; nothing where the run has no folds."""
    import numpy

    found: dict[str, list[float]] = defaultdict(list)
    for learned, compared in of(spec, table, spec.folds) if spec.folds else ():
        rows, others = table.training.iloc[learned], table.training.iloc[compared]
        model = fit(*learning.sides(spec.data, rows), spec.parameters, spec.seed)
        given = learning.answers(model, others, spec.data, table.schema)
        for name, value in metrics.scores(spec.data.task, learning.truth(spec.data, others), given).items():
            found[name].append(value)
    means = {f"cv_{name}_mean": float(numpy.mean(values)) for name, values in found.items()}
    return {**means, **{f"cv_{name}_std": float(numpy.std(values)) for name, values in found.items()}}
