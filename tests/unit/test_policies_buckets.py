"""What is about a bucket is found by what it takes of it, and by no likeness of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.shapes.buckets import beside

BUCKET, BLOCK = "aws:s3/bucket:Bucket", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


def resource(kind: str, name: str, props: Mapping[str, Any] | None = None, takes: str = "") -> Resource:
    depends = {"bucket": frozenset({f"urn:{takes}"})} if takes else {}
    return Resource(type=kind, name=name, props=props or {}, urn=f"urn:{name}", depends=depends)


SHORT, LONG = resource(BUCKET, "acme"), resource(BUCKET, "acme-models")


def test_a_bucket_by_its_former_name_is_a_bucket() -> None:
    former = resource("aws:s3/bucketV2:BucketV2", "acme")
    block = resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "acme")
    versions = resource("aws:s3/bucketVersioningV2:BucketVersioningV2", "acme")
    stack = Stack([former, block, versions])
    assert beside(former, stack, BLOCK, "aws:s3/bucketVersioning:BucketVersioning") == [block, versions]


@pytest.mark.parametrize(
    ("block", "owner"),
    [
        (resource(BLOCK, "acme-models"), LONG),
        (resource(BLOCK, "acme-models-block"), LONG),
        (resource(BLOCK, "acme-block"), SHORT),
        (resource(BLOCK, "acme-models-block", takes="acme"), SHORT),
        (resource(BLOCK, "anything", takes="acme-models"), LONG),
        (resource(BLOCK, "acme", takes="another"), None),
        (resource(BLOCK, "acme", {"bucket": "another"}), None),
        (resource(BLOCK, "acme", {"bucket": "acme-1f2e3d"}), SHORT),
        (resource(BLOCK, "acmeblock"), None),
    ],
)
def test_a_resource_is_about_one_bucket_at_most(block: Resource, owner: Resource | None) -> None:
    stack = Stack([SHORT, LONG, block])
    assert [each for each in (SHORT, LONG) if beside(each, stack, BLOCK)] == ([owner] if owner else [])
