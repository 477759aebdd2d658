"""Replicas are not all taken away at once."""

from collections.abc import Iterator, Sequence

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource

OWN = "serving.kserve.io/inferenceservice"
"""The label that KServe gives to all pods of a service."""


class Budgets(Parameters):
    replicas: int = 2
    """From how many replicas on a service needs a budget."""


def check(resources: Sequence[Resource], parameters: Budgets) -> Iterator[tuple[Resource, str]]:
    budgets = {
        (each.namespace, ((each.spec.get("selector") or {}).get("matchLabels") or {}).get(OWN))
        for each in resources
        if each.kind == "PodDisruptionBudget"
    }
    for service in resources:
        if service.kind != "InferenceService":
            continue
        name = service.metadata["name"]
        least = (service.spec.get("predictor") or {}).get("minReplicas", 1)
        if least >= parameters.replicas and (service.namespace, name) not in budgets:
            yield (
                service,
                f"it keeps {least:g} replicas, but nothing keeps a drain from taking them all; declare a "
                f"PodDisruptionBudget for pods with {OWN}={name}",
            )


POLICY = StackPolicy(
    name="disruption-budget",
    asks="A served model with several replicas has a PodDisruptionBudget.",
    why="A drain may otherwise take all replicas at once, which is what they are several for.",
    parameters=Budgets,
    level="advisory",
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {minReplicas: 2, maxReplicas: 4, model: {storageUri: mlflow://iris/7}}}
""",
)
