"""The parts of InferenceServices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import SERVED

MODE = "serving.kserve.io/deploymentMode"


@dataclass(frozen=True)
class Part:
    """A predictor, a transformer or an explainer."""

    service: Resource
    name: str
    spec: Mapping[str, Any]

    @property
    def mode(self) -> str:
        return str(self.service.annotations.get(MODE, "Knative"))


def served(resource: Resource) -> Iterator[Part]:
    if resource.kind == "InferenceService":
        for name in SERVED:
            if name in resource.spec:
                yield Part(resource, name, resource.spec[name])


def models(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """What is loaded by KServe from somewhere."""
    for part in served(resource):
        if "model" in part.spec:
            yield part.spec["model"]
