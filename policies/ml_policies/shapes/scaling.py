"""What changes the number of replicas of something else: autoscalers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import UnknownError, changed
from ml_policies.shapes.quantities import number

KINDS: Mapping[str, tuple[str, float]] = {
    "HorizontalPodAutoscaler": ("maxReplicas", 1),
    "ScaledObject": ("maxReplicaCount", 100),
}
"""Where each says how many replicas there are at most, and what holds where it does not."""
Target = tuple[str, str, str]


@dataclass(frozen=True)
class Scalers:
    largest_of: Mapping[Target, float] = field(default_factory=dict)
    """The most replicas of what they are of, by its namespace, kind and name."""

    def largest(self, resource: Resource) -> Resource:
        """The resource with as many replicas as an autoscaler may give it."""
        if not self.largest_of:
            return resource
        name = str(resource.metadata.get("name", ""))
        most = self.largest_of.get((resource.namespace, resource.kind, name))
        if most is None or most <= number(resource.spec.get("replicas", 1)):
            return resource
        return replace(resource, props=changed(resource.props, spec=changed(resource.spec, replicas=most)))


def scalers(stack: Stack) -> Scalers:
    found: dict[Target, float] = {}
    for each in stack.of(*KINDS):
        try:
            target = _target(each)
            found[target] = max(found.get(target, 0), most(each))
        except UnknownError:
            continue  # it is told by whoever asks about the scaler itself
    return Scalers(found)


def most(scaler: Resource) -> float:
    place, default = KINDS[scaler.kind]
    return number(scaler.spec.get(place) or default)


def _target(scaler: Resource) -> Target:
    reference: Mapping[str, Any] = scaler.spec.get("scaleTargetRef") or {}
    return scaler.namespace, str(reference.get("kind") or "Deployment"), str(reference.get("name", ""))
