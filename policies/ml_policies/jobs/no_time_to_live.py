"""What the stack declares stays until the stack removes it."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.fields import at, path
from ml_policies.shapes.runs import runs, written
from ml_policies.shapes.workloads import workload


def check(resource: Resource, _: NoParameters) -> Iterator[str]:
    run = workload(resource).run
    for place, meaning in (run.gone if run else {}).items():
        for steps, value in at(resource.props, path(place)):
            where = written(".".join(steps))
            if meaning and value == meaning:
                yield f"{where} {meaning} removes the {resource.kind} itself; let it remove the cluster only"
            elif not meaning and value is not None:
                yield f"it is gone {value} s after its end; drop {where}, a new run replaces the old one"


POLICY = ResourcePolicy(
    name="no-time-to-live",
    asks="No run of the stack removes itself.",
    why="The next refresh would take that for drift, and run it again.",
    of=runs,
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {ttlSecondsAfterFinished: 60, template: {spec: {containers: [{name: load, image: registry.example.com/load}]}}}
""",
)
