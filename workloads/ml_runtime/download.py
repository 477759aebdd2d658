"""Downloads models from MLflow; as a command, KServe's storage initializer for `mlflow://<name>/<version>`.

Plain HTTP against MLflow's documented API, through its artifact proxy: no key of the object store is needed, and
nothing heavy is imported, since this is on the way of every cold start.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from ml_runtime.command import finish
from ml_runtime.errors import RunError
from ml_runtime.patience import patiently

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
SOURCE = re.compile(r"mlflow://(?P<name>[^/]+)/(?P<version>[0-9]+)/?")
PROXIED = re.compile(r"mlflow-artifacts:(?://[^/]*)?/(?P<path>.+)")


def download(source: str, target: Path, patience: float) -> list[str]:
    """Put all files of the model there; their paths.

    Raises:
        RunError: the source is no name and version, there is no such version, or MLflow was away for too long.
    """
    match = SOURCE.fullmatch(source)
    if not match:
        raise RunError(
            f"{source!r} must be mlflow://<registered model>/<version number>; an alias may move under a server"
        )
    uri = patiently("MLflow", patience, lambda: location(match["name"], match["version"]))
    files = patiently("MLflow", patience, lambda: fetch(uri, target))
    if "MLmodel" not in files:
        raise RunError(f"{source} has no file MLmodel, only {files[:10]}: it was not logged as an MLflow model")
    return files


def location(name: str, version: str) -> str:
    """The URI of a registered version's files.

    Raises:
        RunError: there is no such version.
    """
    query = urlencode({"name": name, "version": version})
    try:
        with _open(f"/api/2.0/mlflow/model-versions/get-download-uri?{query}") as answer:
            return str(json.load(answer)["artifact_uri"])
    except HTTPError as refused:
        if refused.code == 404:
            raise RunError(f"MLflow has no version {version} of a registered model {name!r}") from refused
        raise


def fetch(uri: str, target: Path) -> list[str]:
    """Put all files below a URI of the artifact proxy there; their paths.

    Raises:
        RunError: the URI is another one, or names a file outside.
    """
    root = _path(uri)
    files = list(_files(root))
    for path in files:
        _fetch(f"{root}/{path}", target / path)
    return files


def read(uri: str) -> bytes:
    """One file behind the artifact proxy.

    Raises:
        RunError: the URI is another one.
    """
    with _open(f"{ARTIFACTS}/{quote(_path(uri))}") as answer:
        content: bytes = answer.read()
        return content


def _path(uri: str) -> str:
    proxied = PROXIED.fullmatch(uri)
    if not proxied:
        raise RunError(f"the files are at {uri}, not behind MLflow's artifact proxy (mlflow-artifacts:/...)")
    return proxied["path"].rstrip("/")


def _files(root: str, below: str = "") -> Iterator[str]:
    """The paths of all files below a folder, relative to the root."""
    with _open(f"{ARTIFACTS}?{urlencode({'path': f'{root}/{below}'.rstrip('/')})}") as answer:
        entries = json.load(answer).get("files", [])
    for entry in entries:
        path = f"{below}/{entry['path']}".lstrip("/")
        if ".." in Path(path).parts:
            raise RunError(f"MLflow names a file outside the model: {path!r}")
        if entry.get("is_dir"):
            yield from _files(root, path)
        else:
            yield path


def _fetch(path: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    with _open(f"{ARTIFACTS}/{quote(path)}") as answer, partial.open("wb") as file:
        shutil.copyfileobj(answer, file)
    partial.replace(target)


def _open(path: str) -> Any:
    server = os.environ.get("MLFLOW_TRACKING_URI", "").rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise RunError(f"MLFLOW_TRACKING_URI is {server!r}; it must be the URL of the MLflow server")
    return urlopen(f"{server}{path}", timeout=60)  # noqa: S310 - its scheme was checked


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.download", description=__doc__)
    parser.add_argument("source", help="mlflow://<registered model>/<version number>")
    parser.add_argument("target", type=Path, help="the folder for its files, such as /mnt/models")
    parser.add_argument("--patience", type=float, default=120, help="seconds to go on trying while MLflow is away")
    options = parser.parse_args()

    def work() -> None:
        files = download(options.source, options.target, options.patience)
        print(f"{options.source}: {len(files)} files in {options.target}", flush=True)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
