"""A replica gets no more requests at once than it can answer."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.serving import Part, served

BY_REQUESTS = ("concurrency", "rps")


class Bound(Parameters):
    maximum: int = 200
    """How many requests at once, or a second, one replica is meant for at most."""


def check(part: Part, parameters: Bound) -> Iterator[str]:
    if part.mode != "Knative":
        return
    limit = part.spec.get("containerConcurrency") or _target(part)
    if limit is None:
        yield f"its {part.name} has neither containerConcurrency nor a scaleTarget of requests; set scale_target"
    elif not 1 <= limit <= parameters.maximum:
        yield f"its {part.name} is meant for {limit:g} requests at once; set 1 to {parameters.maximum}"


def _target(part: Part) -> float | None:
    # By processor or memory, the number of requests follows from those.
    by_requests = part.spec.get("scaleMetric", "concurrency") in BY_REQUESTS
    return part.spec.get("scaleTarget") if by_requests else 1


POLICY = ResourcePolicy(
    name="bounded-concurrency",
    asks="A served model on Knative says how many requests a replica is meant for.",
    why="Without it a replica takes all that come, until every answer is late.",
    parameters=Bound,
    of=served,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {maxReplicas: 2, model: {storageUri: mlflow://iris/7}}}
""",
)
