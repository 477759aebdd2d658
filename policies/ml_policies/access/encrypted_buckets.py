"""Buckets are encrypted where they lie."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.shapes.buckets import GOOGLE, IONOS, beside, buckets

KEYS = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "ionoscloud:objectstorage/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
)


class Keys(Parameters):
    own: bool = False
    """Whether Google's and Amazon's buckets need a key of one's own as well: both encrypt with theirs in any case."""


def check(bucket: Resource, stack: Stack, parameters: Keys) -> Iterator[str]:
    if bucket.type != IONOS and not parameters.own:
        return
    if bucket.type == GOOGLE:
        if "encryption" not in bucket.props:
            yield "it has no key of its own; set encryption.defaultKmsKeyName"
    elif not beside(bucket, stack, *KEYS):
        yield "nothing says that it is encrypted; give it a BucketServerSideEncryptionConfiguration"


POLICY = StackPolicy(
    name="encrypted-buckets",
    asks="Every bucket is encrypted at rest.",
    why="Disks are replaced, lost and sold; what is on them must be noise.",
    parameters=Keys,
    subjects=buckets,
    check=check,
    example="""
type: ionoscloud:objectstorage/bucket:Bucket
name: datasets
props: {name: datasets, region: eu-central-3}
""",
)
