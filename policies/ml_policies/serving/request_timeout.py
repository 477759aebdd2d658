"""No request waits for ever."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.serving import Part, served


class Patience(Parameters):
    maximum: int = 600
    """Seconds that a request may take at most."""
    default: int = 300
    """Seconds where none are set: what Knative's configuration has."""


def check(part: Part, parameters: Patience) -> Iterator[str]:
    timeout = part.spec.get("timeout", parameters.default)
    if not 1 <= timeout <= parameters.maximum:
        yield f"its {part.name} has a timeout of {timeout:g} s; set 1 to {parameters.maximum}"


POLICY = ResourcePolicy(
    name="request-timeout",
    asks="A request to a served model ends within a bound of time.",
    why="Requests that hang hold their replica, and those behind them.",
    parameters=Patience,
    of=served,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {maxReplicas: 2, timeout: 86400, model: {storageUri: mlflow://iris/7}}}
""",
)
