"""Replicas are not all taken away at once."""

from collections.abc import Iterator, Sequence

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource

OWN = "serving.kserve.io/inferenceservice"
"""The label that KServe gives to all pods of a service."""


class Budgets(Parameters):
    replicas: int = 2
    """From how many replicas on a service needs a budget."""


def services(resources: Sequence[Resource]) -> Iterator[Resource]:
    return (each for each in resources if each.kind == "InferenceService")


def check(service: Resource, resources: Sequence[Resource], parameters: Budgets) -> Iterator[str]:
    name, least = service.metadata["name"], (service.spec.get("predictor") or {}).get("minReplicas", 1)
    if least >= parameters.replicas and (service.namespace, name) not in _budgets(resources):
        yield (
            f"it keeps {least:g} replicas, but nothing keeps a drain from taking them all; declare a "
            f"PodDisruptionBudget for pods with {OWN}={name}"
        )


def _budgets(resources: Sequence[Resource]) -> set[tuple[str, str]]:
    return {
        (each.namespace, ((each.spec.get("selector") or {}).get("matchLabels") or {}).get(OWN, ""))
        for each in resources
        if each.kind == "PodDisruptionBudget"
    }


POLICY = StackPolicy(
    name="disruption-budget",
    asks="A served model with several replicas has a PodDisruptionBudget.",
    why="A drain may otherwise take all replicas at once, which is what they are several for.",
    parameters=Budgets,
    level="advisory",
    subjects=services,
    check=check,
    example="""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {minReplicas: 2, maxReplicas: 4, model: {storageUri: mlflow://iris/7}}}
""",
)
