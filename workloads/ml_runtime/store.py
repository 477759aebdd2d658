"""The object store, as the runtime uses it: list, fetch, write what is not there yet, make a bucket.

Endpoint and keys come from the environment: AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_DEFAULT_REGION. Whatever a wait may mend leaves the module as an error that ml_runtime.patience waits for.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ml_runtime.errors import RunError
from ml_runtime.patience import patiently
from ml_runtime.places import Stored

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
PART = 8 * 2**20
"""So many bytes are asked for at once: what was cut off is asked for again, and memory holds no more of an object."""
PASSING = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "OperationAborted"}
REFUSALS = {
    "404": "there is no such object",
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket; has the object store's step that makes buckets succeeded?",
    "AccessDenied": "this key may not; see the account's buckets",
    "403": "this key may not; see the account's buckets",
    "InvalidAccessKeyId": "the object store does not know AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY is not this account's",
    "PreconditionFailed": "somebody replaced the object while it was read; run this again",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object as the store lists it."""

    place: Stored
    size: int
    etag: str


def client() -> S3Client:
    """A client that leaves all waiting to ml_runtime.patience."""
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    return _made(os.environ.get("AWS_ENDPOINT_URL_S3"), region, os.environ.get("AWS_ACCESS_KEY_ID"))


@cache  # to make one takes longer than to ask it
def _made(endpoint: str | None, region: str, _: str | None) -> S3Client:
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": 1}
    style = {"addressing_style": "path"} if endpoint else {}
    config = Config(region_name=region, connect_timeout=5, read_timeout=60, retries=retries, s3=style)  # type: ignore[arg-type]
    return boto3.client("s3", config=config)


def find(place: Stored, patience: float) -> list[Found]:
    """The object; of a prefix, all objects below it by name, but those that are none of the data: `_x`, `.x`.

    Raises:
        RunError: there is none, or no right to it.
    """
    if place.is_object:
        head = _asked(place, patience, lambda s3: s3.head_object(Bucket=place.bucket, Key=place.key))
        return [Found(place=place, size=head["ContentLength"], etag=head["ETag"])]
    found = [each for each in below(place, patience) if _is_data(each.place.key.removeprefix(place.key))]
    if not found:
        raise RunError(
            f"{place}: there is no object below this prefix; put the data there, or name the prefix they have"
        )
    return found


def below(prefix: Stored, patience: float) -> list[Found]:
    """All objects below a prefix, by name; none where there is nothing.

    Raises:
        RunError: no right to them.
    """
    pages = _asked(prefix, patience, lambda s3: list(_pages(s3, prefix)))
    found = [
        Found(place=Stored(bucket=prefix.bucket, key=each["Key"]), size=each["Size"], etag=each["ETag"])
        for page in pages
        for each in page.get("Contents", [])
    ]
    return sorted(found, key=lambda each: each.place.key)


def folders(prefix: Stored, patience: float) -> list[Stored]:
    """What the keys below a prefix begin with, up to their next slash; one page of them in memory.

    Raises:
        RunError: no right to them.
    """

    def listed(s3: S3Client) -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key, Delimiter="/")
        return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]

    return [Stored(bucket=prefix.bucket, key=key) for key in sorted(_asked(prefix, patience, listed))]


def fetch(found: Found, path: Path, patience: float, digest: Any = None) -> str:
    """Put the object's content there; its sha256. Another `digest` is updated with it too.

    Raises:
        RunError: it is not there any more, was replaced meanwhile, or the scratch is full.
    """
    sha256, place = hashlib.sha256(), found.place
    with path.open("wb") as file:
        for start in range(0, found.size, PART):
            end = min(start + PART, found.size)
            part = _asked(place, patience, lambda s3, start=start, end=end: _part(s3, found, start, end))  # type: ignore[misc]
            file.write(part)
            sha256.update(part)
            if digest is not None:
                digest.update(part)
    return sha256.hexdigest()


def read(place: Stored, patience: float) -> bytes | None:
    """The content of a small object; None if it is not there.

    Raises:
        RunError: no right to it, or no such bucket.
    """
    try:
        return _asked(place, patience, lambda s3: _whole(s3.get_object(Bucket=place.bucket, Key=place.key)))
    except _AbsentError:
        return None


def write(place: Stored, content: bytes, patience: float) -> None:
    """Put the content there, whatever was there before.

    Raises:
        RunError: no such bucket, or no right to it.
    """
    _asked(place, patience, lambda s3: s3.put_object(Bucket=place.bucket, Key=place.key, Body=content))


def remove(place: Stored, patience: float) -> None:
    """Remove the object; nothing happens where there is none.

    Raises:
        RunError: no right to it.
    """
    _asked(place, patience, lambda s3: s3.delete_object(Bucket=place.bucket, Key=place.key))


def clock(place: Stored, patience: float) -> datetime:
    """The time by the store's own clock.

    Raises:
        RunError: no such bucket, or no right to it.
    """
    answer = _asked(place, patience, lambda s3: s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=1))
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def write_new(place: Stored, content: bytes, patience: float) -> bool:
    """Put the content where nothing is yet; False if it was there already.

    Raises:
        RunError: another content is there, which stays; no such bucket, or no right to it.
    """

    def put(s3: S3Client) -> bool:
        s3.put_object(Bucket=place.bucket, Key=place.key, Body=content, IfNoneMatch="*")
        return True

    there = read(place, patience)  # first, for stores that do not know the condition
    if there is None:
        try:
            return _asked(place, patience, put)
        except _ReplacedError:
            there = read(place, patience)
    if there != content:
        raise RunError(
            f"{place} has another content, with the sha256 {digest(there or b'')}, and stays as it is; name "
            f"another key, "
            "or remove the object if nobody needs it"
        )
    return False


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
        raise explained(refused, f"s3://{name}") from refused
    return True


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def explained(refused: Exception, place: object) -> Exception:
    """The user's error behind an answer of the store; one that is waited for if a wait may mend it."""
    answer = getattr(refused, "response", {})
    code = str(answer.get("Error", {}).get("Code", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or status == 429:
        return refused
    if code in PASSING:
        return ConnectionError(f"{place}: {refused}")
    kind = {404: _AbsentError, 412: _ReplacedError}.get(status, RunError)
    return kind(f"{place}: {REFUSALS.get(code, str(refused))} ({code}, {status})")


class _AbsentError(RunError):
    """The store has no such object, or bucket."""


class _ReplacedError(RunError):
    """The object is not what the request takes it for."""


def _asked(place: Stored, patience: float, ask: Callable[[S3Client], T]) -> T:
    s3 = client()

    def action() -> T:
        with _errors(place):
            return ask(s3)

    return patiently("the object store", patience, action)


@contextmanager
def _errors(place: Stored) -> Iterator[None]:
    from botocore.exceptions import ClientError, IncompleteReadError, NoCredentialsError

    try:
        yield
    except ClientError as refused:
        raise explained(refused, place) from refused
    except IncompleteReadError as cut:
        raise ConnectionError(f"{place}: the answer was cut off: {cut}") from cut
    except NoCredentialsError as nobody:
        raise RunError(f"{place}: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set") from nobody


def _pages(s3: S3Client, place: Stored) -> Iterator[Any]:
    return iter(s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key))


def _part(s3: S3Client, found: Found, start: int, end: int) -> bytes:
    place = found.place
    part = _whole(
        s3.get_object(Bucket=place.bucket, Key=place.key, Range=f"bytes={start}-{end - 1}", IfMatch=found.etag)
    )
    if len(part) != end - start:
        raise ConnectionError(f"{place}: {len(part)} bytes came of {end - start}")
    return part


def _whole(answer: Any) -> bytes:
    content: bytes = answer["Body"].read()
    if len(content) != answer["ContentLength"]:
        raise ConnectionError(f"{len(content)} bytes came of {answer['ContentLength']}")
    return content


def _is_data(name: str) -> bool:
    """Whether an object below a prefix is one of its data; a name with a slash at its end stands for a folder."""
    return name != "" and not name.endswith("/") and not any(part.startswith(("_", ".")) for part in name.split("/"))
