"""Training code with a mistake that shows when it fits."""

from __future__ import annotations

import sys
from typing import Any

from ml_runtime import train


def fit(features: Any, target: Any, parameters: Any, seed: int) -> Any:
    return features[parameters["column"]]


if __name__ == "__main__":
    sys.exit(train.main(fit))
