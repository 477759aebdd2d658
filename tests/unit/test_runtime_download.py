"""The storage initializer against an HTTP server that answers as MLflow does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ml_runtime import download, patience
from ml_runtime.errors import RunError

ROOT = "1/models/m-1/artifacts"
FILES = {"MLmodel": "flavors: {}", "model.skops": "bytes", "data/a b.txt": "text"}


class FakeMLflow(BaseHTTPRequestHandler):
    """One version of one model; `failures` answers of 503 come first."""

    uri = f"mlflow-artifacts:/{ROOT}"
    failures = 0
    files = FILES

    def do_GET(self) -> None:
        kind, url = type(self), urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if kind.failures:
            kind.failures -= 1
            self._answer(503, b"")
        elif url.path.endswith("get-download-uri"):
            known = query == {"name": "iris", "version": "7"}
            self._answer(200 if known else 404, json.dumps({"artifact_uri": kind.uri}).encode())
        elif "path" in query:
            self._answer(200, json.dumps({"files": self._list(query["path"])}).encode())
        else:
            self._answer(200, kind.files[unquote(url.path).partition(f"{ROOT}/")[2]].encode())

    def _list(self, path: str) -> list[dict[str, object]]:
        below = path.removeprefix(ROOT).strip("/")
        inside = [name.removeprefix(below).strip("/") for name in type(self).files if name.startswith(below)]
        return [
            {"path": name, "is_dir": any(other.startswith(f"{name}/") for other in inside)}
            for name in dict.fromkeys(each.partition("/")[0] for each in inside)
        ]

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeMLflow]]:
    handler = type("Handler", (FakeMLflow,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    yield handler
    server.shutdown()
    server.server_close()


def test_all_files_of_the_version_arrive(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    found = download.download("mlflow://iris/7", tmp_path, 5)
    assert set(FILES) == set(found)
    assert {name: (tmp_path / name).read_text() for name in FILES} == FILES
    assert not list(tmp_path.rglob("*.partial"))


def test_a_server_that_is_away_for_a_moment_is_waited_for(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.failures = 3
    assert download.download("mlflow://iris/7", tmp_path, 5)


@pytest.mark.parametrize("source", ["mlflow://iris/champion", "mlflow://iris", "s3://bucket/iris", "mlflow://iris/7/8"])
def test_only_a_name_and_a_version_number_are_taken(source: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="registered model>/<version number>"):
        download.download(source, tmp_path, 1)


def test_a_version_that_is_not_there_is_named(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no version 8 of a registered model 'iris'"):
        download.download("mlflow://iris/8", tmp_path, 1)


def test_a_model_outside_the_proxy_is_refused(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.uri = "s3://elsewhere/model"
    with pytest.raises(RunError, match="not behind MLflow's artifact proxy"):
        download.download("mlflow://iris/7", tmp_path, 1)


def test_a_version_that_is_no_model_is_refused(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.files = {"notes.txt": "text"}
    with pytest.raises(RunError, match="no file MLmodel"):
        download.download("mlflow://iris/7", tmp_path, 1)


def test_a_file_name_never_leaves_the_folder(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.files = {"..": "text"}
    with pytest.raises(RunError, match="outside the model"):
        download.download("mlflow://iris/7", tmp_path, 1)


def test_a_tracking_uri_that_is_no_server_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    with pytest.raises(RunError, match=r"sqlite:///mlflow\.db"):
        download.download("mlflow://iris/7", tmp_path, 1)
