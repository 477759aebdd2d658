"""The storage initializer against an HTTP server that answers as MLflow does."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ml_runtime import download, patience
from ml_runtime.errors import AwayError, RunError

ROOT = "1/models/m-1/artifacts"
FILES = {"MLmodel": "flavors: {}", "model.skops": "bytes", "data/a b.txt": "text"}


def digest(files: Mapping[str, str]) -> str:
    """As a gate leaves it on the version."""
    return download.digest({name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()})


class FakeMLflow(BaseHTTPRequestHandler):
    """One version of one model; `failures` answers of that status come first, then `short` bodies that break off."""

    uri = f"mlflow-artifacts:/{ROOT}"
    failures, status, short = 0, 503, 0
    files = FILES
    judged: str | None = None
    """The digest on the version; None: that of the files."""

    def do_GET(self) -> None:
        kind, url = type(self), urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if kind.failures:
            kind.failures -= 1
            self._answer(kind.status, b"")
        elif "/model-versions/" in url.path:
            known = query == {"name": "iris", "version": "7"}
            self._answer(200 if known else 404, json.dumps(self._version(url.path.rpartition("/")[2])).encode())
        elif "path" in query:
            self._answer(200, json.dumps({"files": self._list(query["path"])}).encode())
        else:
            self._answer(200, kind.files[unquote(url.path).partition(f"{ROOT}/")[2]].encode())

    def _version(self, asked: str) -> dict[str, object]:
        kind = type(self)
        if asked == "get-download-uri":
            return {"artifact_uri": kind.uri}
        judged = digest(kind.files) if kind.judged is None else kind.judged
        tags = [{"key": "owner", "value": "somebody"}, {"key": "ml-platform.files.sha256", "value": judged}]
        return {"model_version": {"tags": tags} if judged else {}}

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
        if type(self).short and body and "path=" not in self.path and "/model-versions/" not in self.path:
            type(self).short -= 1
            body = body[:-1]
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
    assert {path.name for path in tmp_path.iterdir()} == {"MLmodel", "model.skops", "data"}


def test_a_server_that_is_away_for_a_moment_is_waited_for(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.failures = 3
    assert download.download("mlflow://iris/7", tmp_path, 5)


def test_a_server_that_is_asked_too_much_is_waited_for(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.failures, mlflow.status = 3, 429
    assert download.download("mlflow://iris/7", tmp_path, 5)


def test_a_body_that_breaks_off_is_fetched_again(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.short = 4
    assert download.download("mlflow://iris/7", tmp_path, 5)
    assert {name: (tmp_path / name).read_text() for name in FILES} == FILES


def test_a_body_that_always_breaks_off_is_no_model(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.short = 10_000
    with pytest.raises(AwayError, match=r"broke off after \d+ of \d+ bytes"):
        download.download("mlflow://iris/7", tmp_path, 0.05)
    assert not list(tmp_path.iterdir())


def test_a_version_that_no_gate_has_accepted_is_refused(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    mlflow.judged = ""
    with pytest.raises(
        RunError, match=r"has no tag ml-platform.files.sha256: no gate has accepted it. Serve a version"
    ):
        download.download("mlflow://iris/7", tmp_path, 1)


@pytest.mark.parametrize(
    "replaced",
    [{**FILES, "model.skops": "others"}, {**FILES, "more.py": "code"}, {"MLmodel": "flavors: {}"}],
    ids=["another content", "one more", "two fewer"],
)
def test_files_that_somebody_replaced_are_refused_and_not_there(
    replaced: dict[str, str], mlflow: type[FakeMLflow], tmp_path: Path
) -> None:
    mlflow.files, mlflow.judged = replaced, digest(FILES)
    with pytest.raises(RunError, match=f"its gate has accepted {digest(FILES)}: somebody replaced"):
        download.download("mlflow://iris/7", tmp_path, 1)
    assert not list(tmp_path.iterdir())


def test_what_an_earlier_try_left_is_replaced(mlflow: type[FakeMLflow], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old.txt").write_text("old")
    (tmp_path / "MLmodel").write_text("old")
    download.download("mlflow://iris/7", tmp_path, 1)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(FILES)


def test_the_digest_is_one_that_a_shell_can_tell(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    said = subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert said.stdout.split()[0] == digest(FILES)


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


def test_the_files_of_a_folder_are_named_and_of_none_there_are_none(mlflow: type[FakeMLflow]) -> None:
    assert set(download.names(mlflow.uri, 1)) == set(FILES)
    assert download.names(f"{mlflow.uri}/data", 1) == ["a b.txt"]
    assert download.names(f"{mlflow.uri}/absent", 1) == []


@pytest.mark.parametrize("path", ["..", "../up", "/etc/passwd", ".", ""])
def test_a_file_name_never_leaves_the_folder(
    path: str, mlflow: type[FakeMLflow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow, "_list", lambda *_: [{"path": path, "is_dir": False}])
    with pytest.raises(RunError, match="outside the model"):
        download.download("mlflow://iris/7", tmp_path / "models", 1)
    assert [each.name for each in tmp_path.iterdir()] == ["models"]


def test_a_tracking_uri_that_is_no_server_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    with pytest.raises(RunError, match=r"sqlite:///mlflow\.db"):
        download.download("mlflow://iris/7", tmp_path, 1)
