"""What answers requests: its parts, and the models that they load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.fields import at, path
from ml_policies.shapes.pods import containers
from ml_policies.shapes.workloads import workload

MODE = "serving.kserve.io/deploymentMode"
VARIABLE = "STORAGE_URI"
"""Of a container of one's own: KServe loads what it says."""


@dataclass(frozen=True)
class Part:
    """A predictor, a transformer or an explainer."""

    service: Resource
    name: str
    spec: Mapping[str, Any]

    @property
    def mode(self) -> str:
        return str(self.service.annotations.get(MODE, "Knative"))


@dataclass(frozen=True)
class Model:
    uri: str | None
    """From where it is loaded."""
    protocol: str | None
    """How it is asked; None where its kind has no choice."""


def served(resource: Resource) -> Iterator[Part]:
    for place in workload(resource).parts:
        for where, spec in at(resource.props, path(place)):
            yield Part(resource, where[-1], spec)


def models(resource: Resource) -> Iterator[Model]:
    """What is loaded from somewhere, in whatever form."""
    kind = workload(resource)
    for place in kind.models:
        for _, found in at(resource.props, path(place)):
            model = found or {}
            uri = model.get("storageUri")
            yield Model(None if uri is None else str(uri), str(model.get("protocolVersion", "v1")))
    for place in kind.sources:
        yield from (Model(str(uri), None) for _, uri in at(resource.props, path(place)))
    if kind.parts:
        for container in containers(resource):
            yield from (Model(str(value), None) for name, value in container.variables if name == VARIABLE and value)


def sources(resource: Resource) -> Iterator[str]:
    """Where models come from."""
    return (model.uri for model in models(resource) if model.uri)
