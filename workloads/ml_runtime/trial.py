"""One trial of a tuning: a model fitted with its parameters, scored on rows that are kept for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime import folds, learning, rounds
from ml_runtime.estimators import Recipe
from ml_runtime.metrics import METRICS
from ml_runtime.rounds import ALL
from ml_runtime.tune_spec import Scheduler, TuneSpec

if TYPE_CHECKING:
    from pandas import DataFrame

    from ml_runtime.fitting import Fit
    from ml_runtime.schema import Schema
    from ml_runtime.tables import Read


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The training rows of a tuning: what its trials learn from, and what they are compared on."""

    training: DataFrame
    validation: DataFrame
    schema: Schema
    """Of both."""


def split(spec: TuneSpec, table: Read) -> Parts:
    """Take the rows to compare trials on from those to train on.

    Raises:
        RunError: there are too few.
    """
    learned, compared = folds.one(spec, table, spec.validation)
    rows = table.training
    return Parts(training=rows.iloc[learned], validation=rows.iloc[compared], schema=table.schema)


@dataclass(frozen=True, kw_only=True)
class Trials:
    """How each of a tuning's trials is run; it is sent to other processes, without the rows."""

    spec: TuneSpec
    fit: Fit

    def run(self, parts: Parts, drawn: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
        """How far it came, and its score: of one that can't be asked before its end, once.

        Raises:
            RunError: it can't be done with these parameters.
        """
        data, metric = self.spec.data, METRICS[self.spec.metric]
        for step, model in self._fitted(parts, {**self.spec.parameters, **drawn}):
            given = learning.answers(model, parts.validation, data, parts.schema)
            yield step, metric.of(learning.truth(data, parts.validation), given)

    def _fitted(self, parts: Parts, chosen: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
        spec, (features, target) = self.spec, learning.sides(self.spec.data, parts.training)
        if spec.scheduler is Scheduler.ASHA and spec.estimator:
            recipe = Recipe(spec.estimator, spec.data.task, chosen, spec.seed, checked=True)
            yield from rounds.fit(recipe, learning.features(spec.data, parts.schema), features, target)
        else:
            yield ALL, self.fit(features, target, chosen, spec.seed)
