"""A served model scales within a bound."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.serving import Part, served


class Bound(Parameters):
    maximum: int = 20
    """What maxReplicas may be at most."""


def check(part: Part, parameters: Bound) -> Iterator[str]:
    replicas = part.spec.get("maxReplicas", 0)
    if not 1 <= replicas <= parameters.maximum:
        found = f"maxReplicas {replicas:g}" if replicas else "no maxReplicas"
        yield f"its {part.name} has {found}; set it to a number from 1 to {parameters.maximum}"
    elif part.spec.get("minReplicas", 1) > replicas:
        yield f"its {part.name} has minReplicas {part.spec['minReplicas']:g} above maxReplicas {replicas:g}; lower it"


POLICY = ResourcePolicy(
    name="bounded-replicas",
    asks="A served model has a largest number of replicas.",
    why="Without one, a burst of requests takes the whole cluster, and the bill has no end.",
    parameters=Bound,
    of=served,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {model: {storageUri: mlflow://iris/7}}}
""",
)
