"""A run ends."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import UnknownError, below
from ml_policies.shapes.model import deadline
from ml_policies.shapes.quantities import number
from ml_policies.shapes.runs import written
from ml_policies.shapes.workloads import workload

OUTCOME = "pulumi-python:dynamic/workloads:RunOutcome"


class Longest(Parameters):
    seconds: int = 86400
    """How long a run may take."""


def runs(stack: Stack) -> Iterator[Resource]:
    for each in stack:
        kind = workload(each)
        if kind.run and not kind.template:
            yield each


def check(resource: Resource, stack: Stack, parameters: Longest) -> Iterator[str]:
    run = workload(resource).run
    if run is None:
        return
    limit = deadline(run, resource)
    if limit is None and run.waited:  # Spark's operators know no deadline, so who waits for a run has it
        limit = _waited(resource, stack)
    where = written(run.deadline) or "the timeout of its outcome"
    if limit is None:
        yield f"it has no deadline; set {where}"
    elif limit > parameters.seconds:
        yield f"it may take {limit:g} s; set {where} to {parameters.seconds} at most"


def _waited(resource: Resource, stack: Stack) -> float | None:
    """How long its outcome is waited for. An outcome is of one run: of more runs than there are outcomes whose run is
    not known yet, one has none for certain."""
    named, unnamed = _outcomes(stack)
    name = str(resource.metadata.get("name", ""))
    if name in named:
        return number(named[name].props["timeout"]) if "timeout" in named[name].props else None
    if len(unnamed) >= len(_alone(stack)):
        for each in unnamed:
            each.props.get("run")  # says that it is not known
    return None


@lru_cache(maxsize=2)
def _outcomes(stack: Stack) -> tuple[dict[str, Resource], list[Resource]]:
    """By the run that they are of, and those of which that is not known yet."""
    known: list[Resource] = []
    unknown: list[Resource] = []
    for each in stack.of(OUTCOME):
        (unknown if "run" in below(each.props)[1] else known).append(each)
    return {str(each.props.get("run")): each for each in known}, unknown


@lru_cache(maxsize=2)
def _alone(stack: Stack) -> list[Resource]:
    """Runs without a deadline of their own that no known outcome is of."""
    return [each for each in runs(stack) if _is_alone(each, _outcomes(stack)[0])]


def _is_alone(resource: Resource, named: Mapping[str, Resource]) -> bool:
    run = workload(resource).run
    try:
        return (
            run is not None
            and run.waited
            and deadline(run, resource) is None
            and (str(resource.metadata.get("name", "")) not in named)
        )
    except UnknownError:
        return False


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
