"""What holds data is not removed by accident."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.buckets import BUCKETS


class Scratch(Parameters):
    allowed: bool = False
    """Whether data may go with the stack: on one machine, or in an environment that is made for a day."""


def check(resource: Resource, parameters: Scratch) -> Iterator[str]:
    if resource.kind == "StatefulSet" and not resource.spec.get("volumeClaimTemplates"):
        return
    if not resource.protect and not parameters.allowed:
        yield "it holds data, and one `pulumi destroy` removes it; protect it (cluster.data: protect)"


POLICY = ResourcePolicy(
    name="protected-data",
    asks="Whatever holds data is protected against removal.",
    why="Everything else can be made again.",
    parameters=Scratch,
    of=Kinds("PersistentVolumeClaim", "StatefulSet", *BUCKETS),
    check=check,
    example="""
type: gcp:storage/bucket:Bucket
name: datasets
props: {name: datasets, uniformBucketLevelAccess: true, publicAccessPrevention: enforced}
""",
)
