"""What a model answers to some rows, as arrays; and the error of what has no value on them.

It owns the shape that training, gate and metrics share. Who asks a model is ml_runtime.ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]
    Scorer = Callable[[Values], float]
    """Of how often each row counts."""
    Prepare = Callable[[Values, "Answers", Any], Scorer]
    """For the true values, the answers, and the class that counts as positive."""


class MetricError(RunError):
    """The metric has no value for these rows or this model; the message names the way out."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model answers, one answer a row."""

    labels: Values
    """Classes as texts, or numbers of a regression."""
    probabilities: Values | None = None
    """A column for each of `classes`, if the model can tell."""
    classes: tuple[str, ...] | None = None

    def at(self, rows: Values) -> Answers:
        some = None if self.probabilities is None else self.probabilities[rows]
        return Answers(labels=self.labels[rows], probabilities=some, classes=self.classes)

    def of_class(self, name: Any) -> Values:
        """The probability of a class by row: 0 of one that the model does not know."""
        import numpy

        assert self.probabilities is not None and self.classes is not None  # noqa: S101, PT018 - checked by `prepare`
        if name not in self.classes:
            return numpy.zeros(len(self.labels))
        column: Values = self.probabilities[:, self.classes.index(name)]
        return column
