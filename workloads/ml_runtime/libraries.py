"""How a model is saved, by the library that it is made with: in a format that is data wherever the library has one.

A model comes with the signature of its raw columns, two rows as an example, and the releases of what is needed to load
it. Whether a server may load it is its gate's to judge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError
from ml_runtime.own_code import NONE, OwnCode
from ml_runtime.schema import Kind, Schema

if TYPE_CHECKING:
    from pandas import DataFrame

TYPES = {Kind.CATEGORY: "string", Kind.TEXT: "string", Kind.TIME: "datetime", Kind.FILE: "binary"}
LOADED = ("sklearn.", "xgboost.", "lightgbm.", "numpy.ravel", "numpy.dtype", "scipy.", "collections.OrderedDict")
"""What a model of scikit-learn may be made of: data of libraries that every server has."""
EVERYWHERE = ("mlflow", "numpy", "pandas")


@dataclass(frozen=True, kw_only=True)
class Saving:
    """All that is saved with a model."""

    features: Schema
    task: Task
    example: DataFrame
    """A few rows of the features."""
    code: OwnCode = NONE
    trusted: tuple[str, ...] = ()
    """Modules and classes of a user's own choice that a model may be made of too: the server has them."""


def save(model: Any, folder: Path, saving: Saving) -> None:
    """The model as a folder of MLflow.

    Raises:
        RunError: no library here can save it, or it is made of what no server has.
    """
    # It would warn that the image has no pip, which nothing here needs.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    LIBRARIES[library(model)](model, folder, saving)


def library(model: Any) -> str:
    """The flavour of MLflow that a model is saved by.

    Raises:
        RunError: there is none.
    """
    if found := _flavour(model):
        return found
    raise RunError(
        f"fit gave back {type(model).__module__}.{type(model).__name__}, which nothing here can save: give back a "
        "fitted estimator of scikit-learn, XGBoost or LightGBM, a module of PyTorch, a model of ONNX, or an "
        "mlflow.pyfunc.PythonModel around it"
    )


def is_estimator(model: Any) -> bool:
    """Whether it can be asked as it is, with a DataFrame. A Booster wants its own kind of table."""
    known = _flavour(model) in (None, "sklearn", "xgboost", "lightgbm")
    return known and hasattr(model, "predict") and type(model).__name__ != "Booster"


def _flavour(model: Any) -> str | None:
    """That of the package of its class, or of the nearest one that this is made from."""
    for base in type(model).__mro__:
        root, _, rest = base.__module__.partition(".")
        if root == "mlflow" and rest.startswith("pyfunc"):
            return "pyfunc"
        if root in ROOTS:
            return ROOTS[root]
    return None


def signature(features: Schema, task: Task) -> Any:
    """Of raw columns in, and of one answer out; what may be missing may be left out."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec
    from mlflow.types import Schema as Columns

    known = features.columns
    inputs = Columns([ColSpec(_type(each.kind, each.whole), each.name, required=not each.nullable) for each in known])
    answer = ColSpec("string" if task is Task.CLASSIFICATION else "double")
    return ModelSignature(inputs=inputs, outputs=Columns([answer]))


def _type(kind: Kind, whole: bool) -> str:
    return TYPES.get(kind) or ("long" if whole else "double")


def _common(saving: Saving, modules: Iterable[str]) -> dict[str, Any]:
    return {
        "signature": signature(saving.features, saving.task),
        "input_example": saving.example,
        "pip_requirements": requirements({*EVERYWHERE, *modules}),
    }


def requirements(modules: Iterable[str]) -> list[str]:
    """The installed releases of the packages that have these modules."""
    known = packages_distributions()
    names = {known[each][0] for each in modules if each in known}
    return [f"{name}=={version(name)}" for name in sorted(names)]


def _sklearn(model: Any, folder: Path, saving: Saving) -> None:
    import mlflow.sklearn

    types = _types(model, saving.trusted)
    own = [name for name in types if not name.startswith(LOADED)]
    mlflow.sklearn.save_model(
        model,
        str(folder),
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
        skops_trusted_types=types,
        code_paths=[*map(str, saving.code.beside)] if own else None,
        **_common(saving, {"sklearn", "skops", *(name.partition(".")[0] for name in types)}),
    )


def _types(model: Any, trusted: tuple[str, ...]) -> list[str]:
    """What loading may create beyond what skops knows, such as a tree of scikit-learn.

    Raises:
        RunError: there are others than those that are allowed.
    """
    import skops.io

    found = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    allowed = (*LOADED, *trusted)
    if unknown := [name for name in found if not name.startswith(allowed)]:
        raise RunError(
            f"the model is made of {', '.join(unknown)}, which no server has; make it of scikit-learn's own classes, "
            f"or, if your servers have it, say so: train.main(fit, trusted=[{unknown[0]!r}])"
        )
    return list(found)


def _xgboost(model: Any, folder: Path, saving: Saving) -> None:
    import mlflow.xgboost

    mlflow.xgboost.save_model(model, str(folder), model_format="json", **_common(saving, {"xgboost", "sklearn"}))


def _lightgbm(model: Any, folder: Path, saving: Saving) -> None:
    import mlflow.lightgbm

    mlflow.lightgbm.save_model(model, str(folder), **_common(saving, {"lightgbm", "sklearn", "skops"}))


def _onnx(model: Any, folder: Path, saving: Saving) -> None:
    import mlflow.onnx

    mlflow.onnx.save_model(model, str(folder), **_common(saving, {"onnx", "onnxruntime"}))


def _pytorch(model: Any, folder: Path, saving: Saving) -> None:
    """PyTorch traces a tensor to save the model as data; who asks it afterwards does so by columns."""
    import mlflow.pytorch
    import numpy
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema as Columns
    from mlflow.types import TensorSpec

    common = _common(saving, {"torch"})
    example = saving.example.to_numpy(dtype=numpy.float32)
    tensors = Columns([TensorSpec(numpy.dtype("float32"), (-1, example.shape[1]))])
    given = {**common, "signature": ModelSignature(inputs=tensors), "input_example": example}
    mlflow.pytorch.save_model(model, str(folder), serialization_format="pt2", **given)
    described = Model.load(str(folder))
    described.signature = common["signature"]
    described.save(str(folder / "MLmodel"))


def _pyfunc(model: Any, folder: Path, saving: Saving) -> None:
    import mlflow.pyfunc

    imported = {name.partition(".")[0] for path in saving.code.files for name in _imports(path)}
    beside = [*map(str, saving.code.beside)] or None
    mlflow.pyfunc.save_model(str(folder), python_model=model, code_paths=beside, **_common(saving, imported))


def _imports(path: Path) -> Iterable[str]:
    """The modules that a file imports."""
    import ast

    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


LIBRARIES: Mapping[str, Callable[[Any, Path, Saving], None]] = {
    "sklearn": _sklearn,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "onnx": _onnx,
    "pytorch": _pytorch,
    "pyfunc": _pyfunc,
}
ROOTS = {"sklearn": "sklearn", "xgboost": "xgboost", "lightgbm": "lightgbm", "onnx": "onnx", "torch": "pytorch"}
"""The flavour of each package's classes."""
