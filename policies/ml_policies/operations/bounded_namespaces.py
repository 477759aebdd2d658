"""Namespaces for work have walls."""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_policies.engine.policy import NoParameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import holds
from ml_policies.operations.ownership_labels import WORK
from ml_policies.shapes.edge import worldwide

WALLS = {
    "ResourceQuota": "a quota, so one run may take the whole cluster",
    "NetworkPolicy": "a network policy, so its pods talk to everything",
}


BOUNDS = frozenset(f"{what}{name}" for what in ("", "requests.", "limits.") for name in ("cpu", "memory")) | {
    "pods",
    "count/pods",
}


def namespaces(stack: Stack) -> Iterator[Resource]:
    yield from stack.of("Namespace")


def check(namespace: Resource, stack: Stack, _: NoParameters) -> Iterator[str]:
    if namespace.labels.get(WORK) != "true":
        return
    name = namespace.metadata.get("name")
    for kind, what in WALLS.items():
        walls = [each for each in stack.of(kind) if each.namespace == name]
        opened = kind == "NetworkPolicy" and holds(_opens, walls)
        if opened or not holds(_holds, walls):
            yield f"it has not {what}; declare a {kind} in it"


def _holds(wall: Resource) -> bool:
    """A quota that bounds what all pods take together; a network policy for all pods, of what comes in, that does not
    let in all."""
    if wall.kind == "ResourceQuota":
        narrowed = wall.spec.get("scopes") or wall.spec.get("scopeSelector")
        return not narrowed and not BOUNDS.isdisjoint(wall.spec.get("hard") or {})
    return _of_all(wall) and not any(map(_open, wall.spec.get("ingress") or []))


def _opens(wall: Resource) -> bool:
    """Policies add up: one that lets all in to all pods undoes the others."""
    return _of_all(wall) and any(map(_open, wall.spec.get("ingress") or []))


def _of_all(wall: Resource) -> bool:
    selector = wall.spec.get("podSelector") or {}
    comes_in = "Ingress" in (wall.spec.get("policyTypes") or ["Ingress"])
    return comes_in and not (selector.get("matchLabels") or selector.get("matchExpressions"))


def _open(rule: Mapping[str, Any]) -> bool:
    """Whether it lets in everybody: without a source, from all namespaces, or from more of the world than one owns."""
    sources = rule.get("from") or []
    blocks = [each["ipBlock"].get("cidr", "0.0.0.0/0") for each in sources if each.get("ipBlock")]
    return not sources or any(map(_all_namespaces, sources)) or bool(worldwide(blocks))


def _all_namespaces(source: Mapping[str, Any]) -> bool:
    selector = source.get("namespaceSelector")
    if selector is None or selector.get("matchLabels"):
        return False
    return not any(each.get("operator") == "In" for each in selector.get("matchExpressions") or [])


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
