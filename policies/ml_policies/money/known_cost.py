"""The most that a stack may cost is the most."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.shapes.unpriced import of_cloud, of_objects, of_scaler


def check(resource: Resource, stack: Stack, _: NoParameters) -> Iterator[str]:
    if resource.kubernetes:
        yield from of_scaler(resource)
        yield from of_objects(resource, stack)
    else:
        yield from of_cloud(resource)


POLICY = StackPolicy(
    name="known-cost",
    asks="Whatever costs money has an end and a price.",
    why="What is not counted makes a budget a guess: the cost of a month is then no longer the most that it can be.",
    subjects=lambda stack: stack,
    check=check,
    example="""
type: aws:eks/nodeGroup:NodeGroup
name: ml-platform-gpu
props: {instanceTypes: [z9.huge], scalingConfig: {minSize: 1, maxSize: 15}}
""",
)
