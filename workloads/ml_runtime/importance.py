"""How much each column matters to a model: what the model itself says, else what it loses when the column is shuffled.

It asks nothing that takes long: a model that answers slowly is asked about fewer rows, and about none if even that
takes long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ml_runtime.data_spec import Task

if TYPE_CHECKING:
    from pandas import DataFrame

    from ml_runtime.answers import Values

ROWS, LEAST_ROWS = 1000, 100
SECONDS = 2.0


def of(model: Any, features: DataFrame, target: Values, task: Task) -> dict[str, float]:
    """By column, of a fitted model that has `predict`; empty where it can't be told in time."""
    own = _own(model, len(features.columns))
    if own is not None:
        return dict(zip(map(str, features.columns), map(float, own), strict=True))
    return _shuffled(model.predict, features, target, task)


def _own(model: Any, columns: int) -> Values | None:
    """What the model says of the columns that it was given. Coefficients are none: they depend on a column's unit."""
    found: Values | None = getattr(model, "feature_importances_", None)
    return found if found is not None and len(found) == columns else None


def _shuffled(predict: Callable[[Any], Any], features: DataFrame, target: Values, task: Task) -> dict[str, float]:
    import numpy

    draw = numpy.random.default_rng(0)
    rows, began = draw.permutation(len(features))[:ROWS], time.monotonic()
    predict(features.iloc[rows])
    all_columns = (time.monotonic() - began) * len(features.columns)
    if all_columns > SECONDS:
        rows = rows[: int(len(rows) * SECONDS / all_columns)]
        if len(rows) < LEAST_ROWS:
            return {}
    some, true = features.iloc[rows].reset_index(drop=True), target[rows]
    base = _loss(true, predict(some), task)
    found = {}
    for name in features.columns:
        mixed = some[name].iloc[draw.permutation(len(some))].reset_index(drop=True)
        found[str(name)] = _loss(true, predict(some.assign(**{name: mixed})), task) - base
    return found


def _loss(target: Values, answers: Any, task: Task) -> float:
    """The part that is wrong, or the mean error."""
    import numpy

    given = numpy.asarray(answers)
    return float(abs(given - target).mean() if task is Task.REGRESSION else (given != target).mean())
