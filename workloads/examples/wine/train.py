"""Training code of one's own: an ElasticNet on measurements that are brought to one scale first."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ml_runtime import train
from sklearn.linear_model import ElasticNet
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
    """A fitted estimator; its parameters are those of the settings."""
    return make_pipeline(StandardScaler(), ElasticNet(random_state=seed, **parameters)).fit(features, target)


if __name__ == "__main__":
    sys.exit(train.main(fit))
