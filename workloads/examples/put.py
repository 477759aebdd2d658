"""Puts the data of an example into the object store that the environment names, as `eval "$(make env)"` sets it."""

from __future__ import annotations

import os
from collections.abc import Mapping

import boto3
from botocore.config import Config

BUCKET = "datasets"


def put(objects: Mapping[str, bytes]) -> None:
    """Write the objects, by key, into the bucket of data; those that are there already are written again."""
    style = Config(s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=os.environ.get("AWS_ENDPOINT_URL_S3"), config=style)
    for key, content in objects.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=content)
        print(f"s3://{BUCKET}/{key}: {len(content)} bytes")
