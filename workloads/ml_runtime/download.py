"""Downloads models from MLflow; as a command, KServe's storage initializer for `mlflow://<name>/<version>`, and for
`s3://<bucket>/<key>` (stored_files.py).

Plain HTTP against MLflow's documented API, through its artifact proxy: no key of the object store is needed, and
nothing heavy is imported, since this is on the way of every cold start. What is served is what a gate has judged: it
has left the digest of the files on the version, and other files are refused.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from ml_runtime.command import finish
from ml_runtime.errors import RunError
from ml_runtime.patience import patiently
from ml_runtime.tracking import FILES_DIGEST

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
SOURCE = re.compile(r"mlflow://(?P<name>[^/]+)/(?P<version>[0-9]+)/?")
PROXIED = re.compile(r"mlflow-artifacts:(?://[^/]*)?/(?P<path>.+)")
CHUNK = 1 << 20


def download(source: str, target: Path, patience: float) -> list[str]:
    """Put all files of the model there; their paths.

    Raises:
        RunError: the source is no name and version, there is no such version, or no gate has accepted these files.
        AwayError: MLflow was away for too long.
    """
    match = SOURCE.fullmatch(source)
    if not match:
        raise RunError(
            f"{source!r} must be mlflow://<registered model>/<version number>; an alias may move under a server"
        )
    name, version = match["name"], match["version"]
    judged, uri = digest_of(name, version, patience), location(name, version, patience)
    if judged is None:
        raise RunError(
            f"{source} has no tag {FILES_DIGEST}: no gate has accepted it. Serve a version that one has, or let the "
            "model's gate judge the run that made this one"
        )
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as fresh:
        files = fetch(uri, Path(fresh), patience)
        if "MLmodel" not in files:
            raise RunError(f"{source} has no file MLmodel, only {[*files][:10]}: it was not logged as an MLflow model")
        if (found := digest(files)) != judged:
            raise RunError(
                f"the files of {source} have the digest {found}, and its gate has accepted {judged}: somebody replaced "
                "them. Serve another version, or train and judge this model again"
            )
        for each in Path(fresh).iterdir():
            _replace(each, target / each.name)
    return [*files]


def location(name: str, version: str, patience: float) -> str:
    """The URI of a registered version's files.

    Raises:
        RunError: there is no such version.
    """
    return str(_version("get-download-uri", name, version, patience)["artifact_uri"])


def digest_of(name: str, version: str, patience: float) -> str | None:
    """That of the files that a gate has accepted as this version; None if none has.

    Raises:
        RunError: there is no such version.
    """
    tags = _version("get", name, version, patience)["model_version"].get("tags", [])
    return next((str(tag["value"]) for tag in tags if tag["key"] == FILES_DIGEST), None)


def digest(files: Mapping[str, str]) -> str:
    """One for all files: of the lines that sha256sum writes, by name."""
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


def fetch(uri: str, target: Path, patience: float) -> dict[str, str]:
    """Put all files below a URI of the artifact proxy there; the sha256 of each by its path.

    Raises:
        RunError: the URI is another one, or names a file outside.
    """
    root = _path(uri)
    return {path: _fetch(f"{root}/{path}", target / path, patience) for path in _files(root, patience)}


def names(uri: str, patience: float) -> list[str]:
    """The paths of all files below a URI of the artifact proxy; of a folder that is not there, none.

    Raises:
        RunError: the URI is another one, or names a file outside.
    """
    return [*_files(_path(uri), patience)]


def read(uri: str, patience: float) -> bytes:
    """One file behind the artifact proxy.

    Raises:
        RunError: the URI is another one.
    """
    return _read(f"{ARTIFACTS}/{quote(_path(uri))}", patience)


def _version(what: str, name: str, version: str, patience: float) -> dict[str, Any]:
    query = urlencode({"name": name, "version": version})
    try:
        found: dict[str, Any] = json.loads(_read(f"/api/2.0/mlflow/model-versions/{what}?{query}", patience))
    except HTTPError as refused:
        if refused.code == 404:
            raise RunError(f"MLflow has no version {version} of a registered model {name!r}") from refused
        raise
    return found


def _path(uri: str) -> str:
    proxied = PROXIED.fullmatch(uri)
    if not proxied:
        raise RunError(f"the files are at {uri}, not behind MLflow's artifact proxy (mlflow-artifacts:/...)")
    return proxied["path"].rstrip("/")


def _files(root: str, patience: float, below: str = "") -> Iterator[str]:
    """The paths of all files below a folder, relative to the root."""
    folder = f"{root}/{below}".rstrip("/")
    for entry in json.loads(_read(f"{ARTIFACTS}?{urlencode({'path': folder})}", patience)).get("files", []):
        parts = Path(entry["path"]).parts
        if not parts or ".." in parts or Path(entry["path"]).is_absolute():
            raise RunError(f"MLflow names a file outside the model: {entry['path']!r} in {folder}")
        path = "/".join([below, *parts] if below else parts)
        if entry.get("is_dir"):
            yield from _files(root, patience, path)
        else:
            yield path


def _fetch(path: str, target: Path, patience: float) -> str:
    """The sha256 of the file that is there now."""
    target.parent.mkdir(parents=True, exist_ok=True)

    def once() -> str:
        found = hashlib.sha256()
        with target.open("wb") as file:
            for chunk in _chunks(f"{ARTIFACTS}/{quote(path)}"):
                found.update(chunk)
                file.write(chunk)
        return found.hexdigest()

    return patiently("MLflow", patience, once)


def _read(path: str, patience: float) -> bytes:
    return patiently("MLflow", patience, lambda: b"".join(_chunks(path)))


def _chunks(path: str) -> Iterator[bytes]:
    """An answer's whole body, or an error that a wait may mend."""
    with _open(path) as answer:
        length, got = answer.headers.get("Content-Length"), 0
        while chunk := answer.read(CHUNK):
            got += len(chunk)
            yield chunk
        if length is not None and got != int(length):
            raise ConnectionError(f"{path} broke off after {got} of {length} bytes")


def _open(path: str) -> Any:
    server = os.environ.get("MLFLOW_TRACKING_URI", "").rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise RunError(f"MLFLOW_TRACKING_URI is {server!r}; it must be the URL of the MLflow server")
    return urlopen(f"{server}{path}", timeout=60)  # noqa: S310 - its scheme was checked


def _replace(fresh: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    fresh.replace(target)


def _from(source: str) -> Callable[[str, Path, float], list[str]]:
    """Who fetches it."""
    if source.startswith("s3://"):
        from ml_runtime import stored_files  # with a client that takes a while to be imported

        return stored_files.download
    return download


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.download", description=__doc__)
    parser.add_argument("source", help="mlflow://<registered model>/<version number>, or s3://<bucket>/<key>")
    parser.add_argument("target", type=Path, help="the folder for its files, such as /mnt/models")
    parser.add_argument("--patience", type=float, default=120, help="seconds to go on trying while MLflow is away")
    options = parser.parse_args()

    def work() -> None:
        files = _from(options.source)(options.source, options.target, options.patience)
        print(f"{options.source}: {len(files)} files in {options.target}", flush=True)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
