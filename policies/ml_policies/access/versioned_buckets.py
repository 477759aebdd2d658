"""Buckets keep what is overwritten."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.shapes.buckets import GOOGLE, beside, buckets

VERSIONING = (
    "aws:s3/bucketVersioning:BucketVersioning",
    "ionoscloud:objectstorage/bucketVersioning:BucketVersioning",
)


class Scratch(Parameters):
    scratch: tuple[str, ...] = ()
    """Buckets, as patterns, whose contents can be made again at any time."""


def check(bucket: Resource, stack: Stack, parameters: Scratch) -> Iterator[str]:
    if any(fnmatchcase(bucket.name, pattern) for pattern in parameters.scratch):
        return
    if bucket.type == GOOGLE:
        kept = (bucket.props.get("versioning") or {}).get("enabled")
    else:
        kept = any(map(_enabled, beside(bucket, stack, *VERSIONING)))
    if not kept:
        yield "what is overwritten in it is lost; set `versions: true` of the bucket, or name it as scratch"


def _enabled(versioning: Resource) -> bool:
    """It can be suspended as well."""
    return (versioning.props.get("versioningConfiguration") or {}).get("status") == "Enabled"


POLICY = StackPolicy(
    name="versioned-buckets",
    asks="Every bucket keeps older versions of its objects, except for scratch.",
    why="A model can only be explained, or trained again, from the data that it saw.",
    parameters=Scratch,
    subjects=buckets,
    check=check,
    example="""
type: gcp:storage/bucket:Bucket
name: datasets
props: {name: datasets, uniformBucketLevelAccess: true, publicAccessPrevention: enforced}
""",
)
