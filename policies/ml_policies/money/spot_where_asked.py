"""What may be interrupted runs on what may be taken away."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.nodes import IONOS, Pool, node_pools


class Asked(Parameters):
    pools: tuple[str, ...] = ("*spot*",)
    """Node pools that must be of spot nodes, as patterns."""


def check(pool: Pool, parameters: Asked) -> Iterator[str]:
    asked = any(fnmatchcase(pool.resource.name, pattern) for pattern in parameters.pools)
    if asked and not pool.spot and pool.resource.type != IONOS:
        yield "it is to be of spot nodes and is not; set purpose: spot"


POLICY = ResourcePolicy(
    name="spot-where-asked",
    asks="Pools that are meant for spot nodes have them.",
    why="Runs that can be repeated cost a third there; the name alone saves nothing. IONOS has no spot nodes.",
    parameters=Asked,
    of=node_pools,
    check=check,
    example="""
type: gcp:container/nodePool:NodePool
name: ml-platform-spot
props: {nodeConfig: {machineType: e2-standard-4}, autoscaling: {maxNodeCount: 3}, nodeLocations: [europe-west3-a]}
""",
)
