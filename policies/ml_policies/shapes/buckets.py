"""Buckets of the clouds, and what is said about them: by themselves, or by resources beside them."""

from __future__ import annotations

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack

GOOGLE = "gcp:storage/bucket:Bucket"
AMAZON = "aws:s3/bucket:Bucket"
IONOS = "ionoscloud:objectstorage/bucket:Bucket"


def buckets(stack: Stack) -> list[Resource]:
    return stack.of(GOOGLE, AMAZON, IONOS)


def beside(bucket: Resource, stack: Stack, *types: str) -> list[Resource]:
    """The resources of these types that are about the bucket. Its name is not known to them before it is made, so they
    are found by their own, in the same component."""
    named = (bucket.name, f"{bucket.name}-")
    return [
        each
        for each in stack
        if each.type in types
        and each.parent == bucket.parent
        and (each.name == named[0] or each.name.startswith(named[1]))
    ]
