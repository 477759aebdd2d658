"""The estimators that a run can name; each is scikit-learn's own, with its own parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ml_runtime.errors import RunError


def _logistic_regression(parameters: Mapping[str, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(**{"max_iter": 1000, **parameters}))


def _random_forest(parameters: Mapping[str, Any]) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**parameters)


def _decision_tree(parameters: Mapping[str, Any]) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(**parameters)


def _gradient_boosting(parameters: Mapping[str, Any]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**parameters)


ESTIMATORS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "logistic-regression": _logistic_regression,
    "random-forest": _random_forest,
    "decision-tree": _decision_tree,
    "gradient-boosting": _gradient_boosting,
}


def make(name: str, parameters: Mapping[str, Any], seed: int) -> Any:
    """An estimator that is not fitted yet.

    Raises:
        RunError: unknown name, or a parameter that it does not have.
    """
    if name not in ESTIMATORS:
        raise RunError(f"unknown estimator {name!r}; there are {', '.join(ESTIMATORS)}")
    try:
        return ESTIMATORS[name]({"random_state": seed, **parameters})
    except TypeError as wrong:
        raise RunError(f"the estimator {name!r} does not take these parameters {dict(parameters)}: {wrong}") from wrong
