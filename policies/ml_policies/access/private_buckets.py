"""Buckets are nobody's but ours."""

from collections.abc import Iterator

from ml_policies.engine.policy import NoParameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.shapes.buckets import GOOGLE, beside, buckets

BLOCKS = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "ionoscloud:objectstorage/publicAccessBlock:PublicAccessBlock",
)
SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def check(bucket: Resource, stack: Stack, _: NoParameters) -> Iterator[str]:
    if bucket.type == GOOGLE:
        if bucket.props.get("publicAccessPrevention") != "enforced":
            yield "it can be made public; set publicAccessPrevention: enforced"
        if not bucket.props.get("uniformBucketLevelAccess"):
            yield "single objects can be made public; set uniformBucketLevelAccess: true"
        return
    blocks = beside(bucket, stack, *BLOCKS)
    missing = [switch for switch in SWITCHES if not any(block.props.get(switch) for block in blocks)]
    if missing:
        yield f"it can be made public; give it a PublicAccessBlock with {', '.join(missing)}"


POLICY = StackPolicy(
    name="private-buckets",
    asks="No bucket can be made public.",
    why="Data sets and models leak by one click or one wrong policy.",
    subjects=buckets,
    check=check,
    example="""
type: gcp:storage/bucket:Bucket
name: datasets
props: {name: datasets, uniformBucketLevelAccess: true, versioning: {enabled: true}}
""",
)
