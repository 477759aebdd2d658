"""Asks a model as its server will: in the serving image, by MLflow's pyfunc, with a typed DataFrame.

It judges nothing: what is the model's fault is a FaultError with the reason, what is the machine's (memory, a full
disk, a service that is away) a MachineError, which says nothing about the model.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime import apart
from ml_runtime.answers import Answers
from ml_runtime.apart import FaultError
from ml_runtime.data_spec import Task
from ml_runtime.patience import is_away
from ml_runtime.schema import naive, written

if TYPE_CHECKING:
    from pandas import DataFrame

    from ml_runtime.answers import Values

MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EAGAIN})
"""What the system says when it is out of something."""


def signature(folder: Path) -> dict[str, Any] | None:
    """Columns and types of what the model takes and answers, by its own files."""
    from mlflow.models import Model

    found = Model.load(folder).signature
    return found.to_dict() if found else None


def answers(folder: Path, rows: DataFrame, task: Task, classes: Sequence[str]) -> Answers:
    """What the model in `folder` answers to the rows, asked in a process of its own.

    `classes` are those of the data: a model that answers columns without names means them in order.

    Raises:
        FaultError: the model can't be loaded or asked.
        MachineError: this can't be said here and now.
    """
    found = apart.call(lambda: _arrays(asked(folder, rows, task, classes)), is_machines)
    names = found.get("classes")
    return Answers(
        labels=found["labels"].astype(float if task is Task.REGRESSION else object),
        probabilities=found.get("probabilities"),
        classes=None if names is None else tuple(names.tolist()),
    )


def _arrays(given: Answers) -> dict[str, Values]:
    import numpy

    labels = given.labels if given.labels.dtype.kind == "f" else given.labels.astype(str)
    if given.probabilities is None:
        return {"labels": labels}
    return {"labels": labels, "probabilities": given.probabilities, "classes": numpy.array(given.classes, dtype=str)}


def is_machines(failure: BaseException | None) -> bool:
    """Whether a failure, or one that it comes from, is the machine's or a service's."""
    while failure is not None:
        short = isinstance(failure, OSError) and failure.errno in MACHINE
        if short or isinstance(failure, MemoryError) or is_away(failure):
            return True
        failure = failure.__cause__ or failure.__context__
    return False


def asked(folder: Path, rows: DataFrame, task: Task, classes: Sequence[str]) -> Answers:
    """What the model answers, in this process.

    Raises:
        FaultError: it takes or answers what nothing here can give or take; or whatever the model's library raises.
    """
    return Loaded(folder).answers(rows, task, classes)


class Loaded:
    """A model in this process, to be asked more than once."""

    def __init__(self, folder: Path) -> None:
        import mlflow.pyfunc

        self._model = mlflow.pyfunc.load_model(str(folder))

    def answers(self, rows: DataFrame, task: Task, classes: Sequence[str]) -> Answers:
        """As `asked` says."""
        if (inputs := self._model.metadata.get_input_schema()) is None:
            raise FaultError("it has no signature; log it with one")
        taken = inputs.input_names() if inputs.has_input_names() else list(rows.columns)
        needed = inputs.required_input_names() if inputs.has_input_names() else taken
        if unknown := sorted(set(needed) - set(rows.columns)):
            raise FaultError(f"it takes the columns {unknown}, which the rows don't have")
        frame = naive(rows[[name for name in taken if name in rows.columns]])
        return _answers(self._model.predict(frame), _raw(self._model), frame, task, classes)


def estimator(model: Any, rows: DataFrame, task: Task, classes: Sequence[str]) -> Answers:
    """What a fitted estimator answers that has not been saved.

    Raises:
        FaultError: it answers what nothing here can take; or whatever its library raises.
    """
    return _answers(model.predict(rows), model, rows, task, classes)


def _answers(given: Any, raw: Any, rows: DataFrame, task: Task, classes: Sequence[str]) -> Answers:
    table = _table(given, len(rows))
    if task is Task.REGRESSION:
        return Answers(labels=_numbers(_column(table)))
    if table.shape[1] > 1:
        return _of_probabilities(table, classes)
    return Answers(labels=_classes(_column(table)), **_probabilities(raw, rows))


def _table(given: Any, rows: int) -> DataFrame:
    """An answer as a table, whatever a model's library makes it."""
    import numpy
    import pandas

    found = given if isinstance(given, pandas.DataFrame) else pandas.DataFrame(numpy.asarray(given))
    if len(found) != rows:
        raise FaultError(f"it gives {len(found)} answers to {rows} rows")
    return found


def _column(given: DataFrame) -> Values:
    if given.shape[1] != 1:
        raise FaultError(f"it answers {given.shape[1]} columns, {[*map(str, given.columns)][:10]}; one is scored")
    column: Values = given.iloc[:, 0].to_numpy()
    return column


def _numbers(column: Values) -> Values:
    try:
        return column.astype(float)
    except (TypeError, ValueError) as texts:
        raise FaultError(f"it answers what is no number: {column[0]!r}") from texts


def _classes(column: Values) -> Values:
    """Classes as the data write them, whatever type a model has made of them."""
    import numpy

    texts = [each.decode() if isinstance(each, bytes) else written(each) for each in column.tolist()]
    return numpy.array(texts, dtype=object)


def _of_probabilities(given: DataFrame, classes: Sequence[str]) -> Answers:
    """Of a column for each class: under its name, or all without names and in the order of the classes."""
    import numpy

    named = [*map(written, given.columns)]
    if named == [str(number) for number in range(len(named))] and not set(named) & set(classes):
        named = list(classes)
    if len(named) != given.shape[1] or not set(named) <= set(classes):
        raise FaultError(
            f"it answers {given.shape[1]} columns, {[*map(str, given.columns)][:10]}; a classification is one column, "
            f"or one for each of the classes {list(classes)[:10]}, under their names"
        )
    numbers = given.to_numpy().astype(float)
    labels = numpy.array(named, dtype=object)[numbers.argmax(axis=1)]
    sure = numbers.min() >= 0 and numpy.allclose(numbers.sum(axis=1), 1, atol=1e-3)  # else they are scores
    return Answers(labels=labels, probabilities=numbers, classes=tuple(named)) if sure else Answers(labels=labels)


def _raw(model: Any) -> Any:
    """The model behind pyfunc, if it has one."""
    try:
        return model.get_raw_model()
    except NotImplementedError:
        return None


def _probabilities(raw: Any, frame: DataFrame) -> dict[str, Any]:
    """Those of a model that can tell."""
    if not (hasattr(raw, "predict_proba") and hasattr(raw, "classes_")):
        return {}
    names = tuple(map(written, raw.classes_))
    return {"probabilities": raw.predict_proba(frame).astype(float), "classes": names}
