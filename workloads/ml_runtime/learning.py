"""What a run that learns takes of its table, and how it asks a model about rows of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime import ask, libraries
from ml_runtime.data_spec import Task
from ml_runtime.libraries import Saving
from ml_runtime.schema import naive

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from ml_runtime.answers import Answers
    from ml_runtime.data_spec import DataSpec
    from ml_runtime.schema import Schema


def features(data: DataSpec, schema: Schema) -> Schema:
    """The columns that a model takes."""
    return schema.without(str(data.target))


def sides(data: DataSpec, rows: DataFrame) -> tuple[DataFrame, Series]:
    """The features and the target of some rows."""
    return naive(rows.drop(columns=[data.target])), rows[data.target]


def truth(data: DataSpec, rows: DataFrame) -> Any:
    """The true values, as metrics take them."""
    return rows[data.target].to_numpy(float if data.task is Task.REGRESSION else object)


def classes(data: DataSpec, schema: Schema) -> tuple[str, ...]:
    """Those of the data, by name; of a regression none."""
    found = schema.column(str(data.target)).categories or ()
    return () if data.task is Task.REGRESSION else tuple(sorted(found))


def answers(model: Any, rows: DataFrame, data: DataSpec, schema: Schema) -> Answers:
    """What a model answers to rows, saved or not: what is no estimator is asked as a server asks it.

    Raises:
        FaultError: it can't be asked.
    """
    asked, _ = sides(data, rows)
    if libraries.is_estimator(model):
        return ask.estimator(model, asked, data.task, classes(data, schema))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        libraries.save(model, folder, Saving(features=features(data, schema), task=data.task, example=asked.head(2)))
        return ask.asked(folder, asked, data.task, classes(data, schema))
