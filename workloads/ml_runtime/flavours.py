"""What may be loaded at all: by a model's own file MLmodel, before any of its code runs.

Formats that are data (skops, XGBoost's and LightGBM's own, ONNX, PyTorch's pt2) do nothing by being loaded. All else is
code: a Python model, modules that come with a model, and whatever is pickled. It is loaded where `pyfunc` is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

PYFUNC = "pyfunc"
DATA_FORMATS = {"sklearn": "skops", "lightgbm": "skops", "pytorch": "pt2"}
"""Of the flavours that can be pickled, what each calls the format that is not."""


def refusal(folder: Path, allowed: Collection[str]) -> str | None:
    """Why the model in the folder may not be loaded; None if it may."""
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model
    from yaml import YAMLError

    try:
        flavours: Mapping[str, Any] = Model.load(folder).flavors
    except (MlflowException, YAMLError, AttributeError, KeyError, TypeError, ValueError) as broken:
        return f"its file MLmodel can't be read: {broken}"
    asked = flavours.get("python_function")
    if asked is None:
        return f"it has the flavours {sorted(flavours)} and not python_function, by which servers ask"
    loader = str(asked.get("loader_module"))
    name = PYFUNC if loader.startswith("mlflow.pyfunc.") else loader.removeprefix("mlflow.")
    if name not in allowed or not loader.startswith("mlflow."):
        return f"it is loaded by {loader}; gate.flavours allows {', '.join(allowed)}"
    code = _code(name, asked, flavours.get(name, {}))
    if code and PYFUNC not in allowed:
        return f"{code}, which is code; gate.flavours allows none without {PYFUNC}"
    return None


def _code(name: str, asked: Mapping[str, Any], native: Mapping[str, Any]) -> str | None:
    """What of the model is code."""
    if any(part.get(key) for part in (asked, native) for key in ("code", "model_code_path")):
        return "modules come with it"
    if name == PYFUNC:
        return "it is a Python model"
    wanted, found = DATA_FORMATS.get(name), native.get("serialization_format", "pickle")
    plain = name == "lightgbm" and str(native.get("data", "")).endswith(".lgb")  # a Booster has no such format
    return f"it is in the format {found}" if wanted not in (None, found) and not plain else None
