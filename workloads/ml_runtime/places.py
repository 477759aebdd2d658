"""Where data are: in the object store, in a package, or in a remote of DVC.

The module owns how such a place is named and checked; it opens none, and only the standard library is loaded with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ml_runtime.errors import SpecError
from ml_runtime.spec import Block

SKLEARN = ("iris", "wine", "breast-cancer", "digits", "diabetes")


@dataclass(frozen=True, kw_only=True)
class Builtin:
    """Data that come with scikit-learn."""

    name: str

    def __str__(self) -> str:
        return f"sklearn:{self.name}"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object in the object store; with a slash at the end of its key, all objects below it."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def s3a(self) -> str:
        """As Hadoop's client of the object store names it."""
        return f"s3a://{self.bucket}/{self.key}"

    @property
    def is_object(self) -> bool:
        return self.key != "" and not self.key.endswith("/")

    @property
    def prefix(self) -> str:
        """What the keys of all below begin with."""
        return f"{self.key}/" if self.is_object else self.key


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What DVC keeps in a remote under its md5: a file, or, with .dir at the end, a folder."""

    md5: str
    remote: Stored

    def __str__(self) -> str:
        return f"dvc:{self.remote}#{self.md5}"


Source = Builtin | Stored | Tracked


def parse_source(block: Block, key: str) -> Source:
    """The place that a description names under `key`.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    raw = block.take(key)
    if isinstance(raw, Mapping):
        dvc = block.inner(key, ("dvc",)).inner("dvc", ("md5", "remote"))
        md5 = dvc.check("md5", _is_md5, "the md5 of a .dvc file: 32 digits, and .dir after those of a folder")
        return Tracked(md5=md5, remote=stored(dvc.text("remote"), dvc.path("remote")))
    scheme, _, name = str(raw).partition(":")
    if scheme == "sklearn":
        if name not in SKLEARN:
            raise SpecError(f"{block.path(key)} is {raw!r}; scikit-learn has {', '.join(SKLEARN)}")
        return Builtin(name=name)
    return stored(str(raw), block.path(key))


def stored(uri: str, path: str) -> Stored:
    """The object, or the prefix, of an s3 uri.

    Raises:
        SpecError: it is none, or some stores would take its key for another one.
    """
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)", uri)
    if not found:
        raise SpecError(f"{path} is {uri!r}; it must be s3://<bucket>/<key>, s3://<bucket>/<prefix>/ or sklearn:<name>")
    bucket, key = found.groups()
    if any(part in ("", ".", "..") for part in key.removesuffix("/").split("/") if key):
        raise SpecError(
            f"{path} is {uri!r}: a store that keeps objects as files takes `//`, `./` and `../` for what they say in a "
            "file's path, so that keys meet; leave them out"
        )
    return Stored(bucket=bucket, key=key)


def stored_prefix(block: Block, key: str) -> Stored:
    """The prefix that a description names under `key`.

    Raises:
        SpecError: it is none.
    """
    place = stored(block.text(key), block.path(key))
    if place.is_object:
        raise SpecError(f"{block.path(key)} is '{place}'; it must be a prefix, with a / at its end")
    return place


def _is_md5(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}(\.dir)?", value) is not None
