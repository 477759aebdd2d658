"""Who makes the model of a run: an estimator by its name, or code of a user's own.

Both are called the same way, with typed columns, and what they raise ends the run in one sentence. What is done with
the model is the business of ml_runtime.candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime import learning, own_code, tables
from ml_runtime.batches import Batches
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError
from ml_runtime.estimators import Recipe
from ml_runtime.own_code import NONE, OwnCode

if TYPE_CHECKING:
    from ml_runtime.learning_spec import LearningSpec
    from ml_runtime.schema import Schema
    from ml_runtime.tables import Read

Fit = Callable[[Any, Any, Mapping[str, Any], int], Any]
"""Of the features, the target, the parameters and the seed: what is fitted."""
BatchFit = Callable[[Batches, Mapping[str, Any], int], Any]
"""The same of batches of features and target."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """An estimator by its name, with what its columns are made into."""

    name: str
    task: Task
    schema: Schema

    def __call__(self, features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
        recipe = Recipe(self.name, self.task, parameters, seed, checked=True)
        return own_code.called(f"the estimator {self.name!r}", lambda: recipe.fit(self.schema, features, target), NONE)


@dataclass(frozen=True, kw_only=True)
class Own:
    """Code of a user's own."""

    fit: Fit
    code: OwnCode

    def __call__(self, features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
        return _fitted(lambda: self.fit(features, target, parameters, seed), self.code)


@dataclass(frozen=True, kw_only=True)
class OwnByBatches:
    """Code of a user's own that takes batches; of a part of the rows, as folds and trials are, one."""

    fit: BatchFit
    code: OwnCode
    classes: tuple[str, ...]
    """Those of the data."""

    def __call__(self, features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
        return self.all_of(Batches.of(features, target, self.classes), parameters, seed)

    def all_of(self, batches: Batches, parameters: Mapping[str, Any], seed: int) -> Any:
        return _fitted(lambda: self.fit(batches, parameters, seed), self.code)


def _fitted(call: Callable[[], Any], code: OwnCode) -> Any:
    model = own_code.called("fit", call, code)
    if model is None:
        raise RunError("fit gave back nothing; let it return the fitted model")
    return model


@dataclass(frozen=True, kw_only=True)
class Program:
    """What makes the model of this process's run."""

    fit: Fit | None = None
    """Code of a user's own; without it the description names an estimator."""
    by_batches: BatchFit | None = None
    """The same, of a fit that takes batches."""
    code: OwnCode = NONE
    trusted: tuple[str, ...] = ()

    def check(self, spec: LearningSpec, parameters: Mapping[str, Any]) -> None:
        """What can be known before any data are there.

        Raises:
            RunError: there is nothing to fit, or it does not take these parameters.
        """
        if self.fit is None and self.by_batches is None:
            Recipe(self._name(spec), spec.data.task, parameters, spec.seed)

    def of(self, spec: LearningSpec, schema: Schema, parameters: Mapping[str, Any]) -> Fit:
        """What to call with columns of this table.

        Raises:
            RunError: it can't take these columns, or does not take these parameters.
        """
        if self.by_batches is not None:
            return OwnByBatches(fit=self.by_batches, code=self.code, classes=learning.classes(spec.data, schema))
        if self.fit is not None:
            return Own(fit=self.fit, code=self.code)
        features = learning.features(spec.data, schema)
        Recipe(self._name(spec), spec.data.task, parameters, spec.seed).pipeline(features)
        return Named(name=self._name(spec), task=spec.data.task, schema=features)

    @contextmanager
    def table(self, spec: LearningSpec) -> Iterator[tuple[Read, Batches | None]]:
        """What the run learns from and is tested on; all training rows in batches, where its fit takes them.

        Raises:
            RunError: it can't be learned from.
        """
        if self.by_batches is None:
            yield tables.read(spec.data, spec.patience), None
        else:
            with tables.streamed(spec.data, spec.patience) as found:
                yield found

    def _name(self, spec: LearningSpec) -> str:
        if spec.estimator is None:
            raise RunError(
                "the description names no estimator, and no script calls ml_runtime.train.main(fit); name one of both"
            )
        return spec.estimator


def whole(fit: Fit, spec: LearningSpec, rows: tuple[Read, Batches | None], parameters: Mapping[str, Any]) -> Any:
    """The model of all training rows."""
    table, batches = rows
    if batches is not None and isinstance(fit, OwnByBatches):
        return fit.all_of(batches, parameters, spec.seed)
    return fit(*learning.sides(spec.data, table.training), parameters, spec.seed)
