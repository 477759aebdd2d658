"""Buckets of the clouds, and what is said about them: by themselves, or by resources beside them."""

from __future__ import annotations

from collections.abc import Sequence

from ml_policies.engine.resource import Resource

GOOGLE = "gcp:storage/bucket:Bucket"
AMAZON = "aws:s3/bucket:Bucket"
IONOS = "ionoscloud:objectstorage/bucket:Bucket"


def buckets(resources: Sequence[Resource]) -> list[Resource]:
    return [each for each in resources if each.type in (GOOGLE, AMAZON, IONOS)]


def beside(bucket: Resource, resources: Sequence[Resource], *types: str) -> list[Resource]:
    """The resources of these types that are about the bucket. Its name is not known to them before it is made, so they
    are found by their own, in the same component."""
    named = (bucket.name, f"{bucket.name}-")
    return [
        each
        for each in resources
        if each.type in types
        and each.parent == bucket.parent
        and (each.name == named[0] or each.name.startswith(named[1]))
    ]
