"""Models come from where models are kept, and are asked by the protocol that clients speak."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.serving import Model, models


class Allowed(Parameters):
    schemes: frozenset[str] = frozenset({"mlflow", "s3", "gs", "oci", "pvc"})
    """Where a model may come from, by the scheme of its storageUri."""
    protocols: frozenset[str] = frozenset({"v2", "grpc-v2"})
    """How it may be asked."""


def check(model: Model, parameters: Allowed) -> Iterator[str]:
    if model.protocol is not None and model.protocol not in parameters.protocols:
        allowed = ", ".join(sorted(parameters.protocols))
        yield f"it is asked by protocol {model.protocol}; set protocolVersion to one of {allowed}"
    scheme = (model.uri or "").partition("://")[0]
    if scheme and scheme not in parameters.schemes:
        allowed = ", ".join(sorted(parameters.schemes))
        yield f"its model comes by {scheme}; put it where models are kept, by one of {allowed}"


POLICY = ResourcePolicy(
    name="model-source",
    asks="A served model comes from an allowed kind of storage, and speaks an allowed protocol.",
    why="A model is a program: one from an arbitrary address is an arbitrary program.",
    parameters=Allowed,
    of=models,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {maxReplicas: 2, model: {protocolVersion: v2, storageUri: "https://example.com/iris/7"}}}
""",
)
