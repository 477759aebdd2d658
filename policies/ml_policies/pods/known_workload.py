"""What runs pods is of a kind that somebody has read."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import UnknownError
from ml_policies.shapes.pods import pods
from ml_policies.shapes.workloads import WORKLOADS


class Read(Parameters):
    kinds: tuple[str, ...] = ()
    """Other kinds whose pods are all where they look like pods, as patterns: <group>/<Kind>."""


def check(resource: Resource, parameters: Read) -> Iterator[str]:
    named = f"{resource.group}/{resource.kind}"
    if (resource.group, resource.kind) in WORKLOADS or any(fnmatchcase(named, each) for each in parameters.kinds):
        return
    if _has_pods(resource):
        yield (
            f"it has what looks like pods, and {named} is no kind of the pack's table: how many it makes, how they end "
            "and what else it runs is not known; declare what it makes, or read it, then name it in `kinds`"
        )


def _has_pods(resource: Resource) -> bool:
    try:
        return any(True for _ in pods(resource))
    except UnknownError:
        return False  # an unknown value of any kind may be anything; what is known has none


POLICY = ResourcePolicy(
    name="known-workload",
    asks="Whatever runs pods is of a kind that the pack knows.",
    why="A kind that nobody has read may run anything, as often as it likes, and never end.",
    parameters=Read,
    of=lambda resource: (resource,) if resource.kubernetes else (),
    check=check,
    example="""
apiVersion: example.com/v1
kind: Fleet
metadata: {name: ships, namespace: models}
spec: {ship: {containers: [{name: main, image: registry.example.com/ship}]}}
""",
)
