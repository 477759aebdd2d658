"""The estimators that a run can name, each with what it wants its columns made into: scikit-learn's, XGBoost's and
LightGBM's own, with their own parameters.

What is made is one scikit-learn pipeline of two steps, `columns` and `model`. It takes raw columns, so that what is
asked of a server is what stands in the data. The checks of parameters are those of ml_runtime.parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ml_runtime import columns, parameters
from ml_runtime.columns import Wants
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError

if TYPE_CHECKING:
    from ml_runtime.schema import Schema

LINEAR = Wants(scaler="StandardScaler", one_hot=True)
TREES = Wants(missing=True)
ENCODED = "encoded"
"""The step of a pipeline in which a model's classes are numbers."""


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A family: `<module>.<class>` of the one that predicts classes and of the one that predicts numbers."""

    classification: str | None = None
    regression: str | None = None
    wants: Wants = LINEAR
    encoded: bool = False
    """Its classes must be the numbers 0, 1, 2, ..."""
    continued_by: str | None = None
    """The argument of `fit` with a model of fewer rounds, which it goes on from."""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def path(self, task: Task) -> str | None:
        return self.classification if task is Task.CLASSIFICATION else self.regression


def _both(path: str, **more: Any) -> Estimator:
    return Estimator(classification=f"{path}Classifier", regression=f"{path}Regressor", **more)


ESTIMATORS: Mapping[str, Estimator] = {
    "logistic-regression": Estimator(
        classification="sklearn.linear_model.LogisticRegression", defaults={"max_iter": 1000}
    ),
    "linear-regression": Estimator(regression="sklearn.linear_model.LinearRegression"),
    "ridge": Estimator(regression="sklearn.linear_model.Ridge"),
    "lasso": Estimator(regression="sklearn.linear_model.Lasso"),
    "elastic-net": Estimator(regression="sklearn.linear_model.ElasticNet"),
    "k-neighbors": _both("sklearn.neighbors.KNeighbors"),
    "svm": Estimator(classification="sklearn.svm.SVC", regression="sklearn.svm.SVR"),
    "naive-bayes": Estimator(classification="sklearn.naive_bayes.GaussianNB", wants=Wants(one_hot=True, dense=True)),
    "multinomial-naive-bayes": Estimator(
        classification="sklearn.naive_bayes.MultinomialNB", wants=Wants(scaler="MinMaxScaler", one_hot=True)
    ),
    "decision-tree": _both("sklearn.tree.DecisionTree", wants=TREES),
    "random-forest": _both("sklearn.ensemble.RandomForest", wants=TREES),
    "extra-trees": _both("sklearn.ensemble.ExtraTrees", wants=TREES),
    "gradient-boosting": _both("sklearn.ensemble.HistGradientBoosting", wants=Wants(missing=True, dense=True)),
    "xgboost": _both("xgboost.XGB", wants=TREES, encoded=True, continued_by="xgb_model"),
    "lightgbm": _both(
        "lightgbm.LGBM", wants=TREES, encoded=True, continued_by="init_model", defaults={"verbosity": -1}
    ),
}


@dataclass(frozen=True)
class Recipe:
    """One estimator of a family with its parameters, as often as it is to be fitted.

    Raises:
        RunError: there is none of this name for the task, or a parameter is not one of its own.
    """

    name: str
    task: Task
    parameters: Mapping[str, Any]
    seed: int
    checked: bool = False
    """They were, and what a tuning has drawn of them means what it is."""

    def __post_init__(self) -> None:
        if not self.checked:
            parameters.check(self.model(), self._of_model())
            parameters.check_class_weight(self._class_weight)

    @property
    def family(self) -> Estimator:
        of_task = [known for known, each in ESTIMATORS.items() if each.path(self.task)]
        if self.name not in of_task:
            raise RunError(
                f"there is no estimator {self.name!r} for {self.task}"
                f"{parameters.nearest(self.name, of_task)}; there are {', '.join(of_task)}"
            )
        return ESTIMATORS[self.name]

    def model(self) -> Any:
        """The model alone, as its library has it; not fitted."""
        model = self._kind()()
        seeded = {"random_state": self.seed} if "random_state" in model.get_params() else {}
        chosen = parameters.converted(model, self._of_model())
        return model.set_params(**{**seeded, **self.family.defaults, **chosen})

    def pipeline(self, schema: Schema) -> Any:
        """What is fitted: raw columns of these features in, classes as they are written or numbers out.

        Raises:
            RunError: there is no column that it can take, or a step does not have a parameter.
        """
        from sklearn.pipeline import Pipeline

        made = Pipeline([("columns", columns.transformer(schema, self.family.wants)), ("model", self._decoded())])
        return parameters.of_steps(made, self._of_steps(), self.checked)

    def fit(self, schema: Schema, features: Any, target: Any) -> Any:
        """The pipeline, fitted."""
        return self.pipeline(schema).fit(features, target, **self.weights(target, "model__sample_weight"))

    def weights(self, target: Any, name: str) -> dict[str, Any]:
        """The weight of each row by its class, as the argument `name` of a fit. Scikit-learn's own `class_weight` takes
        the name of a class that looks like a number for that number.

        Raises:
            RunError: there is no such class.
        """
        from sklearn.utils.class_weight import compute_sample_weight

        chosen = self._class_weight
        if not isinstance(chosen, Mapping):
            return {} if chosen is None else {name: compute_sample_weight(chosen, target)}
        if unknown := sorted(set(chosen) - set(target)):
            raise RunError(
                f"parameters.class_weight has the class {unknown[0]!r}, and the training rows have "
                f"{', '.join(map(repr, sorted(set(target))[:20]))}; write a class as it is written there"
            )
        return {name: [float(chosen.get(each, 1)) for each in target]}

    def _decoded(self) -> Any:
        """A vote of one encodes the classes for it and decodes its answers, by scikit-learn's own means."""
        if not (self.family.encoded and self.task is Task.CLASSIFICATION):
            return self.model()
        from sklearn.ensemble import VotingClassifier

        return VotingClassifier([(ENCODED, self.model())], voting="soft")

    @property
    def _class_weight(self) -> Any:
        return self.parameters.get("class_weight") if self._weighs_rows() else None

    def _weighs_rows(self) -> bool:
        from sklearn.utils.validation import has_fit_parameter

        return self.task is Task.CLASSIFICATION and bool(has_fit_parameter(self._kind(), "sample_weight"))

    def _kind(self) -> Any:
        """The model's class."""
        module, _, name = str(self.family.path(self.task)).rpartition(".")
        return getattr(import_module(module), name)

    def _of_model(self) -> dict[str, Any]:
        weighed = {"class_weight"} if self._weighs_rows() else set()
        return {name: value for name, value in self.parameters.items() if "__" not in name and name not in weighed}

    def _of_steps(self) -> dict[str, Any]:
        return {name: value for name, value in self.parameters.items() if "__" in name}
