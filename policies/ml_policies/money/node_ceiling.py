"""Node pools have a top."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.nodes import Pool, node_pools


class Ceiling(Parameters):
    nodes: int = 20
    """Of one pool, at most."""


def check(pool: Pool, parameters: Ceiling) -> Iterator[str]:
    if pool.maximum is None:
        yield "nothing bounds its number of nodes; set the pool's maximum"
    elif pool.maximum > parameters.nodes:
        yield f"it may grow to {pool.maximum:g} nodes; set its maximum so that there are {parameters.nodes} at most"


POLICY = ResourcePolicy(
    name="node-ceiling",
    asks="Every node pool has a largest number of nodes.",
    why="An autoscaler follows whatever is asked of it, up to the limit of the credit card.",
    parameters=Ceiling,
    of=node_pools,
    check=check,
    example="""
type: aws:eks/nodeGroup:NodeGroup
name: ml-platform-general
props: {instanceTypes: [m6i.xlarge], scalingConfig: {minSize: 1, maxSize: 500}}
""",
)
