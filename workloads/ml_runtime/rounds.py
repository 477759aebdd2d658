"""A booster fitted by and by, so that it can be asked before it is whole.

Each step goes on from the model of the step before, by the means of its own library. It owns no judgement of the
answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime.data_spec import Task

if TYPE_CHECKING:
    from ml_runtime.estimators import Recipe
    from ml_runtime.schema import Schema

STEPS = (1, 3, 9)
"""After how many ninths of its rounds it is asked: each step is three times the one before, as ASHA compares them."""
ALL = STEPS[-1]


@dataclass(frozen=True, kw_only=True)
class Partial:
    """A booster of fewer rounds with what its columns are made into; it answers as a whole pipeline does."""

    columns: Any
    booster: Any
    classes_: Any = None
    """None of a regression."""

    def predict(self, features: Any) -> Any:
        if self.classes_ is None:
            return self.booster.predict(self.columns.transform(features))
        return self.classes_[self.predict_proba(features).argmax(axis=1)]

    def predict_proba(self, features: Any) -> Any:
        return self.booster.predict_proba(self.columns.transform(features))


def fit(recipe: Recipe, schema: Schema, features: Any, target: Any) -> Iterator[tuple[int, Any]]:
    """The model after each of STEPS."""
    import numpy

    made = recipe.pipeline(schema).named_steps["columns"]
    table, classes, answers = made.fit_transform(features, target), None, target
    if recipe.task is Task.CLASSIFICATION:
        classes, answers = numpy.unique(numpy.asarray(target), return_inverse=True)
    weights = recipe.weights(target, "sample_weight")
    rounds, done, before = recipe.model().get_params()["n_estimators"] or 100, 0, None
    for step in STEPS:
        goal = max(1, round(rounds * step / ALL))
        if goal > done:
            going_on: dict[str, Any] = {str(recipe.family.continued_by): before} if before is not None else {}
            model = recipe.model().set_params(n_estimators=goal - done)
            before, done = model.fit(table, answers, **weights, **going_on), goal
        yield step, Partial(columns=made, booster=before, classes_=classes)
