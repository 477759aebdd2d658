"""Namespaces for work have walls."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import holds
from ml_policies.operations.ownership_labels import WORK

WALLS = {
    "ResourceQuota": "a quota, so one run may take the whole cluster",
    "NetworkPolicy": "a network policy, so its pods talk to everything",
}


def namespaces(stack: Stack) -> Iterator[Resource]:
    yield from stack.of("Namespace")


def check(namespace: Resource, stack: Stack, _: NoParameters) -> Iterator[str]:
    if namespace.labels.get(WORK) != "true":
        return
    name = namespace.metadata["name"]
    for kind, what in WALLS.items():
        if not holds(lambda each: each.namespace == name and _holds(each), stack.of(kind)):
            yield f"it has not {what}; declare a {kind} in it"


def _holds(wall: Resource) -> bool:
    """A quota that bounds something; a network policy for all pods that does not let in all."""
    if wall.kind == "ResourceQuota":
        return bool(wall.spec.get("hard"))
    selector = wall.spec.get("podSelector") or {}
    narrowed = selector.get("matchLabels") or selector.get("matchExpressions")
    return not narrowed and all(rule.get("from") for rule in wall.spec.get("ingress") or [])


POLICY = StackPolicy(
    name="bounded-namespaces",
    asks="Every namespace for work has a quota and a network policy.",
    why="What runs there is written by many, and changes daily.",
    subjects=namespaces,
    check=check,
    example="""
apiVersion: v1
kind: Namespace
metadata: {name: models, labels: {ml-platform/workloads: "true"}}
""",
)
