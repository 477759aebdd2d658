"""Served models on a platform of which only its handle is there."""

from __future__ import annotations

from typing import Any

from ml_platform.handle import ServingMode
from support import recorder, work

ISVC = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
SERVED: dict[str, Any] = {"model": "iris", "version": 3}


def declare(mode: ServingMode, **serving: Any) -> recorder.Recorder:
    """One block `iris` that serves version 3 of model iris, with what else is given."""
    return work.declare({"serving": {"iris": {**SERVED, **serving}}}, mode=mode)
