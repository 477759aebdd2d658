"""A model from the files of its library, asked as one of MLflow is: scikit-learn, XGBoost, LightGBM.

It owns which file is the model, and the signature that the library knows of it: the columns that it was fitted with,
all of them numbers. What is pickled is code; whoever serves it says so by the format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

FORMAT = "ML_FORMAT"
"""The variable that says what the files are; without it, they are a model of MLflow."""


class NoModelError(Exception):
    """The files are no model of that format; the message is all there is to say."""


@dataclass(frozen=True)
class FileModel:
    """What is asked, with the interface of a model of MLflow."""

    raw: Any
    columns: Sequence[str] | None
    """Their names, where the library knows them."""
    width: int
    ask: Callable[[Any], Any]

    @property
    def metadata(self) -> Any:
        return SimpleNamespace(signature=_signature(self.columns, self.width))

    def predict(self, asked: Any, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002 - MLflow's interface
        return self.ask(asked)

    def get_raw_model(self) -> Any:
        return self.raw


def load(folder: Path) -> Any:
    """The model in the folder, by the format that the environment names.

    Raises:
        NoModelError: it is none of that format.
    """
    name = os.environ.get(FORMAT, "mlflow")
    if name == "mlflow":
        import mlflow.pyfunc

        return mlflow.pyfunc.load_model(str(folder))
    endings, loader = LOADERS[name]
    path = _file(folder, name, endings)
    try:
        return loader(path)
    except NoModelError:
        raise
    except Exception as broken:
        said = " ".join(str(broken).split())[:500]
        raise NoModelError(f"{path.name} can't be loaded as {name}: {type(broken).__name__}: {said}") from broken


def _file(folder: Path, name: str, endings: Sequence[str]) -> Path:
    there = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    found = [path for path in there if path.suffix in endings]
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(path.relative_to(folder)) for path in there[:10]) or "nothing"
    raise NoModelError(
        f"of format {name} there is to be one file that ends with {' or '.join(endings)}, and there is: {names}. Name "
        "the file or its folder by `uri`, and what it is by `format`"
    )


def _sklearn(path: Path) -> FileModel:
    if path.suffix == ".skops":
        from skops import io

        model = io.load(path, trusted=[])
    else:
        import joblib  # type: ignore[import-untyped]

        model = joblib.load(path)
    if not callable(getattr(model, "predict", None)):
        raise NoModelError(f"{path.name} holds a {type(model).__name__}, which has no predict")
    columns = getattr(model, "feature_names_in_", None)
    width = getattr(model, "n_features_in_", None)
    if width is None:
        raise NoModelError(f"the {type(model).__name__} in {path.name} is not fitted: nothing says what it takes")
    return FileModel(model, None if columns is None else [str(each) for each in columns], int(width), model.predict)


def _xgboost(path: Path) -> FileModel:
    import xgboost

    model = xgboost.Booster(model_file=str(path))

    def ask(asked: Any) -> Any:
        return model.predict(xgboost.DMatrix(asked))

    return FileModel(model, model.feature_names, model.num_features(), ask)


def _lightgbm(path: Path) -> FileModel:
    import lightgbm

    model = lightgbm.Booster(model_file=str(path))
    names = model.feature_name()
    unnamed = names == [f"Column_{place}" for place in range(len(names))]
    return FileModel(model, None if unnamed else names, model.num_feature(), model.predict)


LOADERS: Mapping[str, tuple[Sequence[str], Callable[[Path], FileModel]]] = {
    "sklearn": ((".joblib", ".pkl", ".pickle", ".skops"), _sklearn),
    "xgboost": ((".json", ".ubj", ".bst", ".xgb"), _xgboost),
    "lightgbm": ((".txt", ".bst", ".lgb"), _lightgbm),
}
"""By format: how the model's file ends, and who loads it."""


def _signature(columns: Sequence[str] | None, width: int) -> ModelSignature:
    import numpy
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    if columns is None:
        return ModelSignature(inputs=Schema([TensorSpec(numpy.dtype("float64"), (-1, width))]))
    return ModelSignature(inputs=Schema([ColSpec("double", name) for name in columns]))
