"""A small table to learn from, and an MLflow in a folder: what the tests of training and tuning run on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import tables
from ml_runtime.schema import Column, Kind, Schema
from ml_runtime.split import Sketch, row_hashes
from ml_runtime.tables import Read

DESCRIBED: dict[str, Any] = {
    "run": "flowers-1",
    "data": {"uri": "s3://datasets/flowers.csv", "target": "species"},
    "experiment": "flowers",
    "estimator": "decision-tree",
    "patience": 1,
}
SCHEMA = Schema(
    (
        Column("length", Kind.NUMBER),
        Column("colour", Kind.CATEGORY, nullable=True, categories=("blue", "red")),
        Column("species", Kind.CATEGORY, categories=("007", "7")),
    )
)


def frame(rows: int, start: int = 0) -> pandas.DataFrame:
    numbers = range(start, start + rows)
    return pandas.DataFrame(
        {
            "length": [number % 17 / 2 for number in numbers],
            "colour": pandas.Series([None if n % 13 == 0 else ("blue", "red")[n % 2] for n in numbers], dtype=object),
            "species": pandas.Series([("007", "7")[number % 17 > 8] for number in numbers], dtype=object),
        }
    )


def read(groups: Any = None, notes: tuple[str, ...] = ()) -> Read:
    training, test = frame(90), frame(30, start=90)
    features = ["length", "colour"]
    sketches = [Sketch.of(row_hashes(part, features), features) for part in (training, test)]
    return Read(
        training=training,
        test=test,
        schema=SCHEMA,
        sha256="d" * 64,
        training_rows=sketches[0],
        test_rows=sketches[1],
        groups=None if groups is None else numpy.asarray(groups),
        test_groups=None if groups is None else numpy.arange(len(test)) // 5 + 1000,
        refused=0,
        notes=notes,
    )


def mlflow_in(folder: Path, monkeypatch: pytest.MonkeyPatch, table: Read | None = None) -> None:
    """An MLflow there, which each run asks; the data are there too."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setattr(tables, "read", lambda *_: table or read())
