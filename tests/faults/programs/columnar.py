"""Training code whose model needs a package that the image of trainings has and the one of model servers has not."""

from __future__ import annotations

import sys
from typing import Any

from ml_runtime import train
from mlflow.pyfunc import PythonModel
from sklearn.tree import DecisionTreeClassifier


class Columnar(PythonModel):
    """A tree behind Arrow."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    def load_context(self, context: Any) -> None:
        import pyarrow

        self._table = pyarrow.Table

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """The classes, as the tree has them."""
        return self._tree.predict(model_input)


def fit(features: Any, target: Any, parameters: Any, seed: int) -> Any:
    return Columnar(DecisionTreeClassifier(random_state=seed).fit(features, target))


if __name__ == "__main__":
    sys.exit(train.main(fit))
