"""The request file of `make predict`, and the request made of it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_local.errors import LocalError
from ml_local.predict import ask, read_rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"a": 1, "b": 2.5}', {"a": [1], "b": [2.5]}),
        ('{"a": [1, 2], "b": ["x", "y"]}', {"a": [1, 2], "b": ["x", "y"]}),
    ],
)
def test_a_request_file_holds_one_or_many_rows(tmp_path: Path, text: str, rows: dict[str, Any]) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    assert read_rows(file) == rows


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "can't be read"),
        ("[]", "holds list"),
        ("{}", "holds dict"),
        ('{"a": [1], "b": [1, 2]}', "differ in length"),
    ],
)
def test_another_shape_is_refused_with_an_example(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    with pytest.raises(LocalError, match=says) as refused:
        read_rows(file)
    assert str(file) in str(refused.value)
    assert '{"sepal_length": 6.3, ...}' in str(refused.value)


@pytest.fixture
def server() -> Iterator[tuple[int, list[Any]]]:
    seen: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.headers["Host"], self.path, body))
            answer = json.dumps({"outputs": [{"name": "p", "data": ["setosa"]}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_port, seen
        listening.shutdown()


def test_the_name_of_the_model_need_not_resolve(server: tuple[int, list[Any]]) -> None:
    port, seen = server
    answer = ask(f"http://iris.models.localhost:{port}/v2/models/iris/infer", {"length": [1.5], "kind": ["x"]})
    assert answer.predictions == ["setosa"]
    host, path, body = seen[0]
    assert (host, path) == (f"iris.models.localhost:{port}", "/v2/models/iris/infer")
    assert body["parameters"] == {"content_type": "pd"}
    assert [(t["name"], t["datatype"], t["shape"]) for t in body["inputs"]] == [
        ("length", "FP64", [1]),
        ("kind", "BYTES", [1]),
    ]


def test_a_gateway_that_is_away_is_named_with_what_to_do() -> None:
    with pytest.raises(LocalError, match="make status"):
        ask("http://x.localhost:1/v2/models/x/infer", {"a": [1]})
