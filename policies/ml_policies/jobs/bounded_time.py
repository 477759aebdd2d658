"""A run ends."""

from collections.abc import Iterator, Sequence

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.runs import FIRST_GENERATION, JOBS, path_of, spec_of

DEADLINE = frozenset({*JOBS, *FIRST_GENERATION, "RayJob", "TrainJob"})
"""They have one of their own; Spark's operators know none, so who waits for a run has it."""
WAITED = frozenset({*FIRST_GENERATION, "SparkApplication", "TrainJob"})
OUTCOME = "pulumi-python:dynamic/workloads:RunOutcome"


class Longest(Parameters):
    seconds: int = 86400
    """How long a run may take."""


def runs(resources: Sequence[Resource]) -> Iterator[Resource]:
    return (each for each in resources if each.kind in DEADLINE | WAITED)


def check(run: Resource, resources: Sequence[Resource], parameters: Longest) -> Iterator[str]:
    own = run.kind in DEADLINE
    limit = spec_of(run).get("activeDeadlineSeconds") if own else None
    if limit is None and run.kind in WAITED:
        waits = {each.props.get("run"): each.props.get("timeout") for each in resources if each.type == OUTCOME}
        limit = waits.get(run.metadata.get("name"))
    where = path_of(run, "activeDeadlineSeconds") if own else "the timeout of its outcome"
    if limit is None:
        yield f"it has no deadline; set {where}"
    elif limit > parameters.seconds:
        yield f"it may take {limit:g} s; set {where} to {parameters.seconds} at most"


POLICY = StackPolicy(
    name="bounded-run-time",
    asks="Every run has a deadline.",
    why="A run that hangs holds its nodes, and whoever waits for it, until somebody looks.",
    parameters=Longest,
    subjects=runs,
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {template: {spec: {containers: [{name: load, image: registry.example.com/load}]}}}
""",
)
