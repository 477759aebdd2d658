"""The files of a model in the object store, put where a model server looks for them."""

from __future__ import annotations

import os
from pathlib import Path

from ml_runtime import store
from ml_runtime.errors import RunError
from ml_runtime.places import Stored

ENDPOINT, OF_S3 = "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"
"""The variable that KServe makes of a Secret's annotation, and the one that the store reads."""


def download(source: str, target: Path, patience: float) -> list[str]:
    """Put the object, or all objects below the prefix, there; their paths.

    Raises:
        RunError: there is nothing, or no right to it.
        AwayError: the object store was away for too long.
    """
    if endpoint := os.environ.get(ENDPOINT):
        os.environ.setdefault(OF_S3, endpoint)
    bucket, _, key = source.removeprefix("s3://").partition("/")
    folder = Stored(bucket=bucket, key=f"{key.rstrip('/')}/" if key else "")
    found = store.below(folder, patience) or store.find(Stored(bucket=bucket, key=key.rstrip("/")), patience)
    return [_fetched(each, folder, target, patience) for each in found if not each.place.key.endswith("/")]


def _fetched(found: store.Found, folder: Stored, target: Path, patience: float) -> str:
    """The path of the object below the target; the object itself is there by the end of its name."""
    place = found.place
    inside = place.key.startswith(folder.key)
    name = place.key.removeprefix(folder.key) if inside else place.key.rpartition("/")[2]
    if ".." in Path(name).parts:
        raise RunError(f"{place} would be put outside the model's folder")
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    store.fetch(found, path, patience)
    return name
