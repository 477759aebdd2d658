"""What production needs does not go away with one node."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.serving import Part, served


class Enough(Parameters):
    minimum: int = 1
    """What minReplicas must be at least: 2 in production; 0 lets a model shrink to nothing."""


def check(part: Part, parameters: Enough) -> Iterator[str]:
    replicas = part.spec.get("minReplicas", 1)
    if replicas < parameters.minimum:
        yield f"its {part.name} has minReplicas {replicas:g}; this environment asks for {parameters.minimum} or more"


POLICY = ResourcePolicy(
    name="enough-replicas",
    asks="A served model has as many replicas as its environment asks for.",
    why="With one, every drained node is an outage; with none, the first request waits for a start.",
    parameters=Enough,
    of=served,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {minReplicas: 0, maxReplicas: 2, model: {storageUri: mlflow://iris/7}}}
""",
)
