"""GPUs are where somebody has planned for them."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.nodes import node_pools
from ml_policies.shapes.pods import containers
from ml_policies.shapes.sizes import of_resources
from ml_policies.shapes.workloads import workload


class Allowed(Parameters):
    pools: tuple[str, ...] = ()
    """Node pools that may have GPUs, as patterns."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose pods may ask for GPUs, as patterns."""


def check(resource: Resource, parameters: Allowed) -> Iterator[str]:
    for pool in node_pools(resource):
        if pool.gpus and not _matches(resource.name, parameters.pools):
            yield f"its nodes have GPUs ({', '.join(pool.machines)}); allow them by `pools` in policies/environments/"
    if _gpus(resource) and not _matches(resource.namespace, parameters.namespaces):
        yield (
            f"it asks for GPUs in namespace {resource.namespace}, where this environment plans for "
            "none; drop them, or allow it in `namespaces`"
        )


def _gpus(resource: Resource) -> float:
    kind = workload(resource)
    if kind.template and resource.bundle:
        return 0  # of a release, which nobody needs to use
    made = sum(of_resources(each).gpus for each, _ in (kind.made(resource) if kind.made else ()))
    return made + sum(of_resources(each.resources).gpus for each in containers(resource))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


POLICY = ResourcePolicy(
    name="gpus-where-allowed",
    asks="GPUs are used only where the environment allows them.",
    why="One forgotten GPU node costs more than all others together.",
    parameters=Allowed,
    of=lambda resource: (resource,),
    check=check,
    example="""
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: models}
spec: {template: {spec: {containers: [{name: train, image: x, resources: {limits: {"nvidia.com/gpu": 1}}}]}}}
""",
)
