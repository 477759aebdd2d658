"""What is served is a version, not a name."""

import re
from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.serving import Model, models


class Pinned(Parameters):
    pattern: str = (
        r"^mlflow://[^/@]+/[0-9]+$|@sha256:[0-9a-f]{64}$"
        r"|^(?!oci:)[a-z0-9]+://.*/(v?[0-9]+([.][0-9]+)*|[0-9a-f]{12,64})/?([^/]+[.][a-z0-9]+)?$"
    )
    """What a storageUri with a version looks like, as a regular expression."""


def check(model: Model, parameters: Pinned) -> Iterator[str]:
    if model.uri is None:
        yield "its model has no storageUri, so nothing says which version is served; set model.version"
    elif not re.search(parameters.pattern, model.uri):
        yield (
            f"its model is {model.uri!r}, which names no version; end it with one, such as mlflow://<model>/<number>, "
            "s3://<bucket>/<folder>/<number>"
        )


POLICY = ResourcePolicy(
    name="pinned-model",
    asks="A served model is a version of a registered model, never an alias or a folder.",
    why="An alias moves under a running service: replicas would serve different models, and no one could go back.",
    parameters=Pinned,
    of=models,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {maxReplicas: 2, model: {storageUri: "mlflow://iris@champion"}}}
""",
)
