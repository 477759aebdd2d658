"""A run is as large as somebody has thought of."""

from collections.abc import Iterator
from math import inf

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.runs import runs
from ml_policies.shapes.sizes import of_workload


class Largest(Parameters):
    cores: float = 64
    """Of all pods of a run together."""
    memory: float = 256
    """GiB of all pods of a run together."""
    gpus: float = 8
    """Of all pods of a run together."""


def check(run: Resource, parameters: Largest) -> Iterator[str]:
    size = of_workload(run)
    for name, found in (("cores", size.cores), ("memory", size.memory), ("gpus", size.gpus)):
        largest = getattr(parameters, name)
        unit = " GiB" if name == "memory" else ""
        if found == inf:
            yield f"nothing bounds how many pods it has, nor its {name}; set the largest number of each kind of them"
        elif found > largest:
            yield (
                f"its pods take {found:g}{unit} of {name} together, more than {largest:g}{unit}; "
                "make it smaller, or raise the bound for this environment"
            )


POLICY = ResourcePolicy(
    name="bounded-run-size",
    asks="All pods of a run together stay within bounds of cores, memory and GPUs.",
    why="One zero too many in a block of settings empties the budget overnight.",
    parameters=Largest,
    of=runs,
    check=check,
    example="""
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: etl, namespace: models}
spec: {driver: {cores: 1, memory: 1g}, executor: {cores: 8, memory: 4g, instances: 100}}
""",
)
