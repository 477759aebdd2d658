"""Training code whose model is of a class that is in this program alone, logged so that only loading it shows it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from ml_runtime import candidate, train
from sklearn.tree import DecisionTreeClassifier


class Tree(DecisionTreeClassifier):
    """Nothing of its own but its name."""


def fit(features: Any, target: Any, parameters: Any, seed: int) -> Any:
    return Tree(random_state=seed).fit(features, target)


def log(estimator: Any, **common: Any) -> None:
    import mlflow.sklearn

    mlflow.sklearn.log_model(estimator, serialization_format="pickle", **common)


if __name__ == "__main__":
    home = ModuleType("mine")
    home.Tree = Tree  # type: ignore[attr-defined]
    sys.modules[home.__name__], Tree.__module__ = home, home.__name__
    candidate._log = log
    sys.exit(train.main(fit))
