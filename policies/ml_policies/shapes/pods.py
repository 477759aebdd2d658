"""Pods wherever they are declared: a pod specification is what has a list of containers, in whatever kind it is.

So the pods of custom resources that nobody here has heard of are found too. Some operators add to what is declared (an
image, a security context): such containers are `partial`, and what they don't say is no problem of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.engine.values import UnknownError, parts

PASSIVE = frozenset({"ConfigMap", "Secret", "Role", "ClusterRole"})
COMPLETED = frozenset({"InferenceService", "SparkApplication", "TrainJob"})
SERVED = ("predictor", "transformer", "explainer")
UNJUDGED = ("spec", "template", "containers", "initContainers")
"""Where a pod may be, if the value is not known yet."""


@dataclass(frozen=True)
class Pod:
    resource: Resource
    spec: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Container:
    pod: Pod
    spec: Mapping[str, Any]

    @property
    def partial(self) -> bool:
        return self.pod.resource.kind in COMPLETED

    @property
    def name(self) -> str:
        return f"container {self.spec.get('name') or '?'}"

    @property
    def context(self) -> Mapping[str, Any]:
        return self.spec.get("securityContext") or {}

    @property
    def resources(self) -> Mapping[str, Any]:
        return self.spec.get("resources") or {}


def pods(resource: Resource) -> Iterator[Pod]:
    """All of them; then UnknownError if there may be more in what is not known."""
    if not resource.kubernetes or resource.kind in PASSIVE:
        return
    unknown: list[str] = []
    for spec, metadata in _below(resource.props, unknown):
        yield Pod(resource, spec, metadata)
    if unknown:
        raise UnknownError(unknown[0])


def containers(resource: Resource) -> Iterator[Container]:
    """Those of all its pods, those that run first included; and what an operator makes containers of."""
    for described in _operated(resource):
        yield Container(Pod(resource, {}, {}), described)
    for pod in pods(resource):
        for field in ("initContainers", "containers"):
            for each in pod.spec.get(field) or []:
                yield Container(pod, each)


def _below(value: Any, unknown: list[str]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if isinstance(value, dict):
        spec: Any = dict.get(value, "spec")
        if _has_containers(spec):
            yield spec, value.get("metadata") or {}
            return
        if _has_containers(value):
            yield value, {}
            return
    below, paths = parts(value)
    unknown += [path for path in paths if path.rpartition(".")[2] in UNJUDGED]
    for each in below:
        yield from _below(each, unknown)


def _has_containers(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(dict.get(value, "containers"), list)


def _operated(resource: Resource) -> Iterator[Mapping[str, Any]]:
    spec = resource.spec
    if resource.kind == "InferenceService":
        for part in SERVED:
            model = (spec.get(part) or {}).get("model")
            if model is not None:
                yield {"name": f"{part}.model", **_plain(model)}
    elif resource.kind == "SparkApplication":
        image = spec.get("image") or (spec.get("sparkImage") or {}).get("custom")
        if image:
            yield {"name": "spark", "image": image}
    elif resource.kind == "TrainJob" and spec.get("trainer"):
        trainer = spec["trainer"]
        yield {"name": "trainer", **_plain(trainer), "resources": trainer.get("resourcesPerNode")}


def _plain(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: described[key] for key in ("image", "env", "args", "command", "resources") if key in described}
