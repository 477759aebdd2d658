"""A run that fails gives up."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.runs import FIRST_GENERATION, JOBS, path_of, spec_of

DEFAULT = {**dict.fromkeys(JOBS, 6), **dict.fromkeys(FIRST_GENERATION, float("inf")), "RayJob": 0}
SPARK = ("onFailureRetries", "onSubmissionFailureRetries")


class Most(Parameters):
    retries: int = 5
    """How often a run may be tried again."""


def check(run: Resource, parameters: Most) -> Iterator[str]:
    for where, retries in _retries(run):
        if retries > parameters.retries:
            found = "without end" if retries == float("inf") else f"{retries:g} times"
            yield f"it is tried again {found}; set {where} to {parameters.retries} at most"


def _retries(run: Resource) -> Iterator[tuple[str, float]]:
    if run.kind in DEFAULT:
        yield path_of(run, "backoffLimit"), spec_of(run).get("backoffLimit", DEFAULT[run.kind])
        return
    if run.kind == "TrainingRuntime":
        job_set = (run.spec.get("template") or {}).get("spec") or {}
        retries = (job_set.get("failurePolicy") or {}).get("maxRestarts", 0)
        yield "template.spec.failurePolicy.maxRestarts", retries
        return
    restart = run.spec.get("restartPolicy") or {}
    if restart.get("type") == "Always":
        yield "restartPolicy.type to Never, or its retries", float("inf")
    elif restart.get("type") == "OnFailure":
        yield from ((f"restartPolicy.{field}", restart.get(field, 0)) for field in SPARK)
    submission = (run.spec.get("job") or {}).get("config") or {}  # of Stackable's operator
    yield "job.config.retryOnFailureCount", submission.get("retryOnFailureCount") or 0


POLICY = ResourcePolicy(
    name="bounded-retries",
    asks="A run is tried again a few times at most.",
    why="What fails for a reason fails again, and costs as much each time.",
    parameters=Most,
    of=Kinds(*DEFAULT, "SparkApplication", "TrainingRuntime"),
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {backoffLimit: 100, template: {spec: {containers: [{name: load, image: registry.example.com/load}]}}}
""",
)
