"""The formats of models that are served from files: who serves each, and by which protocol it is asked.

The platform's own model server serves some, everywhere; KServe's own runtimes the others, where its release has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Format = Literal[
    "mlflow", "sklearn", "xgboost", "lightgbm", "onnx", "pytorch", "tensorflow", "huggingface", "triton", "pmml"
]


@dataclass(frozen=True)
class Served:
    """How a format is."""

    protocol: Literal["v1", "v2"] = "v2"
    own: bool = False
    """Whether by the platform's own model server, which answers protocol v1 as well."""
    named: bool = False
    """Whether its server takes the model's name as an argument; others have it from the files."""


FORMATS: Mapping[Format, Served] = {
    "mlflow": Served(own=True),
    "sklearn": Served(own=True),
    "xgboost": Served(own=True),
    "lightgbm": Served(own=True),
    "onnx": Served(),
    "pytorch": Served("v1"),
    "tensorflow": Served("v1", named=True),
    "huggingface": Served("v1", named=True),
    "triton": Served(),
    "pmml": Served(named=True),
}
