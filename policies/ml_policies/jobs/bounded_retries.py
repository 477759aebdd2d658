"""A run that fails gives up."""

from collections.abc import Iterator
from math import inf

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.runs import runs, written
from ml_policies.shapes.workloads import workload


class Most(Parameters):
    retries: int = 5
    """How often a run may be tried again."""


def check(resource: Resource, parameters: Most) -> Iterator[str]:
    run = workload(resource).run
    for where, retries in run.retries(resource) if run else ():
        if retries > parameters.retries:
            found = "without end" if retries == inf else f"{retries:g} times"
            yield f"it is tried again {found}; set {written(where)} to {parameters.retries} at most"


POLICY = ResourcePolicy(
    name="bounded-retries",
    asks="A run is tried again a few times at most.",
    why="What fails for a reason fails again, and costs as much each time.",
    parameters=Most,
    of=runs,
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {backoffLimit: 100, template: {spec: {containers: [{name: load, image: registry.example.com/load}]}}}
""",
)
