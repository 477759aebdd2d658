"""The estimators that a run can name: scikit-learn's and XGBoost's own, with their own parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ml_runtime.errors import RunError
from ml_runtime.metrics import Task


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A family: `<module>.<class>` of the one that predicts classes and of the one that predicts numbers."""

    classification: str | None = None
    regression: str | None = None
    scaled: bool = False
    """It wants columns of the same scale."""
    random: bool = True
    counted: bool = False
    """It wants classes 0, 1, 2, ..."""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def path(self, task: Task) -> str | None:
        return self.classification if task is Task.CLASSIFICATION else self.regression


ESTIMATORS: Mapping[str, Estimator] = {
    "logistic-regression": Estimator(
        classification="sklearn.linear_model.LogisticRegression", scaled=True, defaults={"max_iter": 1000}
    ),
    "linear-regression": Estimator(regression="sklearn.linear_model.LinearRegression", scaled=True, random=False),
    "elastic-net": Estimator(regression="sklearn.linear_model.ElasticNet", scaled=True),
    "random-forest": Estimator(
        classification="sklearn.ensemble.RandomForestClassifier", regression="sklearn.ensemble.RandomForestRegressor"
    ),
    "decision-tree": Estimator(
        classification="sklearn.tree.DecisionTreeClassifier", regression="sklearn.tree.DecisionTreeRegressor"
    ),
    "gradient-boosting": Estimator(
        classification="sklearn.ensemble.HistGradientBoostingClassifier",
        regression="sklearn.ensemble.HistGradientBoostingRegressor",
    ),
    "xgboost": Estimator(classification="xgboost.XGBClassifier", regression="xgboost.XGBRegressor", counted=True),
}


def make(name: str, task: Task, parameters: Mapping[str, Any], seed: int) -> Any:
    """An estimator that is not fitted yet.

    Raises:
        RunError: there is none of this name for the task, or it does not have a parameter.
    """
    of_task = [known for known, each in ESTIMATORS.items() if each.path(task)]
    if name not in of_task:
        raise RunError(f"unknown estimator {name!r} for {task}; there are {', '.join(of_task)}")
    chosen = ESTIMATORS[name]
    module, _, kind = str(chosen.path(task)).rpartition(".")
    seeded = {"random_state": seed} if chosen.random else {}
    try:
        estimator = getattr(import_module(module), kind)(**{**seeded, **chosen.defaults, **parameters})
    except TypeError as wrong:
        raise RunError(f"the estimator {name!r} does not take these parameters {dict(parameters)}: {wrong}") from wrong
    return _scaled(estimator) if chosen.scaled else estimator


def check_classes(name: str, classes: Sequence[Any]) -> None:
    """Refuse what the estimator can't tell apart.

    Raises:
        RunError: it counts classes from 0, and these are others.
    """
    found = sorted(set(classes), key=str)
    if ESTIMATORS[name].counted and set(found) != set(range(len(found))):
        raise RunError(f"the estimator {name!r} takes the classes 0, 1, 2, ...; these are {found}: map them in an ETL")


def _scaled(estimator: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), estimator)
