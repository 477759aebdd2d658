"""Asks a model as its server will: in the serving image, through MLServer's own runtime for MLflow models.

It gets the files as the server does, too. It judges nothing: what can't be loaded or asked is said, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_runtime.data import Table


class ServingError(Exception):
    """The serving image can't load the model, or the model can't answer there."""


def signature(folder: Path) -> dict[str, Any] | None:
    """Columns and types of what the model takes and answers, by its own files."""
    from mlflow.models import Model

    found = Model.load(folder).signature
    return found.to_dict() if found else None


def answers(folder: Path, name: str, rows: Table, but: str) -> list[Any]:
    """What the model in `folder` answers to the rows; their column `but` is not what it takes.

    Raises:
        ServingError: with the reason.
    """
    try:
        return asyncio.run(_answers(folder, name, rows, but))
    except ServingError:
        raise
    except Exception as broken:  # whatever a model's library can raise
        raise ServingError(f"{type(broken).__name__}: {broken}") from broken


async def _answers(folder: Path, name: str, rows: Table, but: str) -> list[Any]:
    from mlserver.settings import ModelParameters, ModelSettings
    from mlserver.types import InferenceRequest
    from mlserver_mlflow import MLflowRuntime

    settings = ModelSettings(
        name=name, implementation=MLflowRuntime, parameters=ModelParameters(uri=str(folder), version="candidate")
    )
    model = MLflowRuntime(settings)
    await model.load()
    columns = [each.name for each in model.inputs]
    if unknown := sorted(set(columns) - {column for column in rows.columns if column != but}):
        raise ServingError(f"it takes the columns {unknown}, which the held-out rows don't have")
    inputs = [
        {"name": each.name, "shape": [len(rows.rows), 1], "datatype": each.datatype, "data": rows.numbers(each.name)}
        for each in model.inputs
    ]
    response = await model.predict(InferenceRequest(inputs=inputs))
    return _one_column(response.outputs, len(rows.rows))


def _one_column(outputs: Sequence[Any], rows: int) -> list[Any]:
    if len(outputs) != 1:
        raise ServingError(f"it answers {len(outputs)} columns; one is scored")
    found = [each.decode() if isinstance(each, bytes) else each for each in outputs[0].data]
    if len(found) != rows:
        raise ServingError(f"it gives {len(found)} answers to {rows} rows")
    return found
