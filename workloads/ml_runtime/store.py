"""The object store, as the runtime uses it: read an object, write one, make a bucket.

Endpoint and keys come from the environment: AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_DEFAULT_REGION.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ml_runtime.errors import RunError
from ml_runtime.spec import DataObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DIGEST = "sha256"  # the name of the metadata entry
REFUSALS = {
    "NoSuchKey": "there is no such object; has the data set's Job succeeded?",
    "NoSuchBucket": "there is no such bucket; has the object store's step that makes buckets succeeded?",
    "AccessDenied": "this key may not; see the account's buckets",
    "InvalidAccessKeyId": "the object store does not know AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY is not this account's",
}


def client() -> S3Client:
    """A client that leaves all waiting to ml_runtime.patience."""
    import boto3
    from botocore.config import Config

    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    retries = {"total_max_attempts": 1}
    style = {"addressing_style": "path"} if "AWS_ENDPOINT_URL_S3" in os.environ else {}
    config = Config(region_name=region, connect_timeout=5, read_timeout=60, retries=retries, s3=style)  # type: ignore[arg-type]
    return boto3.client("s3", config=config)


def read(source: DataObject) -> bytes:
    """The object's content, checked against its digest if one is named.

    Raises:
        RunError: no such object, no right to it, or another content.
    """
    from botocore.exceptions import ClientError

    try:
        content: bytes = client().get_object(Bucket=source.bucket, Key=source.key)["Body"].read()
    except ClientError as refused:
        raise explained(refused, source) from refused
    found = digest(content)
    if source.sha256 not in (None, found):
        raise RunError(
            f"s3://{source.bucket}/{source.key} has the sha256 {found}, not {source.sha256}: somebody replaced the "
            "data. Put it back, or name the new digest (or none) in the data set's settings."
        )
    return content


def write(target: DataObject, content: bytes) -> bool:
    """Put the content there with its digest as metadata; False if it was there already.

    Raises:
        RunError: no such bucket, or no right to it.
    """
    from botocore.exceptions import ClientError

    store, found = client(), digest(content)
    try:
        there = store.head_object(Bucket=target.bucket, Key=target.key)
        if there["Metadata"].get(DIGEST) == found and there["ContentLength"] == len(content):
            return False
    except ClientError as absent:
        if absent.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise explained(absent, target) from absent
    try:
        store.put_object(Bucket=target.bucket, Key=target.key, Body=content, Metadata={DIGEST: found})
    except ClientError as refused:
        raise explained(refused, target) from refused
    return True


def make_bucket(name: str) -> bool:
    """Make a bucket of this account's own; False if it was there.

    Raises:
        RunError: it belongs to another account, or this one may not make any.
    """
    from botocore.exceptions import ClientError

    try:
        client().create_bucket(Bucket=name)
    except ClientError as refused:
        if refused.response["Error"]["Code"] == "BucketAlreadyOwnedByYou":
            return False
        raise explained(refused, DataObject(bucket=name, key="")) from refused
    return True


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def explained(refused: Exception, place: DataObject) -> Exception:
    """The user's error behind an answer of the store; the answer itself if a wait may mend it."""
    code = getattr(refused, "response", {}).get("Error", {}).get("Code", "")
    status = getattr(refused, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500:
        return refused
    return RunError(f"s3://{place.bucket}/{place.key}: {REFUSALS.get(code, str(refused))} ({code}, {status})")
