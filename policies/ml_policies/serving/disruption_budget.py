"""Replicas are not all taken away at once."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import holds
from ml_policies.shapes.serving import served
from ml_policies.shapes.workloads import workload

OWN = "serving.kserve.io/inferenceservice"
"""The label that KServe gives to all pods of a service."""


class Budgets(Parameters):
    replicas: int = 2
    """From how many replicas on a service needs a budget."""


def services(stack: Stack) -> Iterator[Resource]:
    return (each for each in stack if workload(each).parts)


def check(service: Resource, stack: Stack, parameters: Budgets) -> Iterator[str]:
    name, least = (
        service.metadata.get("name", ""),
        max((part.spec.get("minReplicas", 1) for part in served(service)), default=0),
    )
    if least >= parameters.replicas and not holds(
        lambda each: each.namespace == service.namespace and _selects(each, name), stack.of("PodDisruptionBudget")
    ):
        yield (
            f"it keeps {least:g} replicas, but nothing keeps a drain from taking them all; declare a "
            f"PodDisruptionBudget for pods with {OWN}={name}"
        )


def _selects(budget: Resource, name: str) -> bool:
    return ((budget.spec.get("selector") or {}).get("matchLabels") or {}).get(OWN) == name


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
