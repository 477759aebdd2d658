"""The parts of InferenceServices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.workloads import FRAMEWORKS, PARTS

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
        for name in PARTS:
            if name in resource.spec:
                yield Part(resource, name, resource.spec[name])


def models(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """What is loaded by KServe from somewhere, in the newer form and in the older ones."""
    for part in served(resource):
        for form in ("model", *FRAMEWORKS):
            if form in part.spec:
                yield part.spec[form] or {}


def sources(resource: Resource) -> Iterator[str]:
    """Where models come from."""
    for model in models(resource):
        if uri := model.get("storageUri"):
            yield str(uri)
