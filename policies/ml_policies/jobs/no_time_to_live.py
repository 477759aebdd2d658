"""What the stack declares stays until the stack removes it."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.runs import FIRST_GENERATION

FIELDS = {
    "Job": "ttlSecondsAfterFinished",
    "JobSet": "ttlSecondsAfterFinished",
    "SparkApplication": "timeToLiveSeconds",
    **dict.fromkeys(FIRST_GENERATION, "runPolicy.ttlSecondsAfterFinished"),
}


def check(run: Resource, _: NoParameters) -> Iterator[str]:
    path = FIELDS.get(run.kind, "")
    holder, field = path.rpartition(".")[::2]
    seconds = ((run.spec.get(holder) or {}) if holder else run.spec).get(field)
    if seconds is not None:
        yield f"it is gone {seconds:g} s after its end; drop {path}, a new run replaces the old one"
    # KubeRay's own time to live is of the Ray cluster behind the job; this one is of the job itself.
    rules = (run.spec.get("deletionStrategy") or {}).get("deletionRules") or []
    if any(rule.get("policy") == "DeleteSelf" for rule in rules):
        yield "a rule of its deletionStrategy removes the RayJob itself; let it remove the cluster only"


POLICY = ResourcePolicy(
    name="no-time-to-live",
    asks="No run of the stack removes itself.",
    why="The next refresh would take that for drift, and run it again.",
    of=Kinds("RayJob", *FIELDS),
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: load, namespace: models}
spec: {ttlSecondsAfterFinished: 60, template: {spec: {containers: [{name: load, image: registry.example.com/load}]}}}
""",
)
