"""The rows that a gate judges by: the test rows as the candidate's run keeps them, and how much of them others know.

It reads them from MLflow and believes them by their digest alone. What is asked about them is ml_runtime.evidence's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_runtime import download, kept, split, taken, tracking
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError
from ml_runtime.split import Sketch

if TYPE_CHECKING:
    from mlflow.entities import Run
    from pandas import DataFrame

    from ml_runtime.answers import Values


@dataclass(frozen=True, kw_only=True)
class JudgedRows:
    """The test rows of a run."""

    features: DataFrame
    target: Values
    task: Task
    classes: tuple[str, ...]
    """Of the data, by name; of a regression none."""
    digest: str
    groups: Values | None = None
    """A number for each row, from 0: the group that it belongs to, where the data's test is by groups."""


def of(run: Run, patience: float) -> JudgedRows:
    """Those that the run keeps.

    Raises:
        RunError: it keeps none, or others than it says.
    """
    model = taken.of(run, patience)
    digest = run.data.tags[tracking.TEST_DIGEST]
    content = _verified(f"{run.info.artifact_uri}/{tracking.rows_path(digest)}", digest, patience)
    frame = kept.from_csv(content, model.schema)
    return JudgedRows(
        features=frame.drop(columns=[model.target]),
        target=frame[model.target].to_numpy(float if model.task is Task.REGRESSION else object),
        task=model.task,
        classes=model.classes,
        digest=digest,
        groups=_groups(run, len(frame), patience),
    )


def _verified(uri: str, digest: str, patience: float) -> bytes:
    """What lies there.

    Raises:
        RunError: it has another digest.
    """
    content = download.read(uri, patience)
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        raise RunError(f"{uri} is not what its name says: its sha256 is {found}; somebody replaced it. Train again")
    return content


def _groups(run: Run, rows: int, patience: float) -> Values | None:
    import numpy

    if (digest := run.data.tags.get(tracking.GROUPS_DIGEST)) is None:
        return None
    uri = f"{run.info.artifact_uri}/{tracking.groups_path(digest)}"
    groups = numpy.asarray(json.loads(_verified(uri, digest, patience)))
    if len(groups) != rows:
        raise RunError(f"{uri} has {len(groups)} rows, and the test rows of the run are {rows}. Train again")
    return groups


def overlaps(candidate: Run, champion: Run | None, patience: float) -> Iterator[tuple[str, float]]:
    """The parts of the candidate's test rows that stand in what each has learned from, where that can be told."""
    if (rows := _sketch(candidate, tracking.TEST_ROWS, patience)) is None:
        return
    for name, run in (("test_rows_in_training", candidate), ("test_rows_in_training_of_champion", champion)):
        training = _sketch(run, tracking.TRAINING_ROWS, patience) if run else None
        if training and (part := split.overlap(training, rows)) is not None:
            yield name, part


def _sketch(run: Run, path: str, patience: float) -> Sketch | None:
    folder, _, name = f"{run.info.artifact_uri}/{path}".rpartition("/")
    if name not in download.names(folder, patience):  # asked for what is not there, MLflow seems to be away
        return None
    return Sketch.from_json(download.read(f"{folder}/{name}", patience))
