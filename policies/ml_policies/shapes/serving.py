"""The parts of InferenceServices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.workloads import FRAMEWORKS, PARTS

MODE = "serving.kserve.io/deploymentMode"
STORAGE_URI = "STORAGE_URI"
"""The variable of a container that KServe fetches files for."""


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


@dataclass(frozen=True)
class Fetched:
    """What KServe fetches from somewhere for a server."""

    spec: Mapping[str, Any]
    """The model; or the container of a server of one's own, which names its files by a variable."""
    is_model: bool

    @property
    def uri(self) -> str | None:
        found = self.spec.get("storageUri") if self.is_model else _variable(self.spec)
        return None if found is None else str(found)


def fetched(resource: Resource) -> Iterator[Fetched]:
    """All of it: models in the newer form and in the older ones, and files of containers."""
    for part in served(resource):
        for form in ("model", *FRAMEWORKS):
            if form in part.spec:
                yield Fetched(part.spec[form] or {}, is_model=True)
        for container in part.spec.get("containers") or []:
            if _variable(container) is not None:
                yield Fetched(container, is_model=False)


def _variable(container: Mapping[str, Any]) -> Any:
    return next((each.get("value") for each in container.get("env") or [] if each.get("name") == STORAGE_URI), None)


def sources(resource: Resource) -> Iterator[str]:
    """Where models come from."""
    for each in fetched(resource):
        if uri := each.uri:
            yield uri
