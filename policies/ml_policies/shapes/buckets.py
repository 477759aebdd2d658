"""Buckets of the clouds, and what is said about them: by themselves, or by resources beside them."""

from __future__ import annotations

import re

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import below

GOOGLE = "gcp:storage/bucket:Bucket"
AMAZON, AMAZON_BEFORE = "aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"
IONOS = "ionoscloud:objectstorage/bucket:Bucket"
BUCKETS = (GOOGLE, AMAZON, AMAZON_BEFORE, IONOS)


def buckets(stack: Stack) -> list[Resource]:
    return stack.of(*BUCKETS)


def beside(bucket: Resource, stack: Stack, *types: str) -> list[Resource]:
    """The resources of these types that are about the bucket; Amazon's had another name for a while."""
    both = (*types, *(re.sub(r"^(aws:s3/\w+):(\w+)$", r"\1V2:\2V2", each) for each in types))
    return [each for each in stack.of(*dict.fromkeys(both)) if _about(each, stack) is bucket]


def _about(resource: Resource, stack: Stack) -> Resource | None:
    """The bucket that it is about: the one whose output it takes; where the engine tells nothing of that, the one whose
    name it has, or begins with."""
    if whose := resource.depends.get("bucket"):
        return next((each for each in buckets(stack) if each.urn in whose), None)
    named = below(resource.props)[0].get("bucket")
    near = [each for each in buckets(stack) if each.parent == resource.parent]
    fitting = [each for each in near if _begins(resource.name, each.name) and _begins(named or each.name, each.name)]
    return max(fitting, key=lambda each: len(each.name), default=None)


def _begins(name: str, with_name: str) -> bool:
    return name == with_name or name.startswith(f"{with_name}-")
