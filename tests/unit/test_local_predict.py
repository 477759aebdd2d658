"""`make predict`: which of the served models is asked, and what is said of its answer."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_local import connection, predict, stack
from ml_local.errors import LocalError
from ml_local.node.layout import layout
from ml_local.predict import Model
from ml_platform.bundles import authority

INPUTS = {
    "iris": dict.fromkeys(("sepal_length", "sepal_width", "petal_length", "petal_width"), "FP64"),
    "wine": {"ash": "FP64", "magnesium": "INT64"},
    "rose": {"ash": "FP64", "magnesium": "INT64"},
    "silent": {},
}
WINE = {"ash": ["2.4"], "magnesium": ["100"]}


class Server:
    """Answers as MLServer does for the models of INPUTS; keeps what it was asked."""

    def __init__(self, listening: http.server.HTTPServer) -> None:
        self._listening, self.port = listening, listening.server_port
        self.seen, self.tokens = list[Any](), list[str | None]()

    def secure(self, pair: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        self._listening.socket = context.wrap_socket(self._listening.socket, server_side=True)

    def model(self, name: str) -> Model:
        return Model(name, f"http://{name}.models.localhost:{self.port}/v2/models/{name}/infer")

    def answer(self, host: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        name = path.split("/")[3]
        if name == "silent" and body is None:
            return (200, {}) if path.endswith("/ready") else (404, {"detail": "Not Found"})
        if body is None:
            inputs = [{"name": n, "datatype": t, "shape": [-1, 1]} for n, t in INPUTS[name].items()]
            return 200, {"name": name, "inputs": inputs}
        self.seen.append((host, path, body))
        if body["inputs"][0]["data"] == [-1.0]:
            return 500, {"error": "it has failed"}
        return 200, {"model_version": "3", "outputs": [{"name": "p", "data": ["setosa"]}]}


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            known.tokens.append(self.headers["Authorization"])
            status, content = known.answer(self.headers["Host"], self.path, body)
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        known = Server(listening)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield known
        listening.shutdown()


@pytest.fixture
def serving(server: Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Server:
    """The server, with the models that the test names as the served ones."""
    urls = {name: server.model(name).url for name in request.param}
    canaries = {name: url.replace("//", "//canary-") for name, url in urls.items() if name == "wine"}
    monkeypatch.setattr(stack, "outputs", lambda _: {"prediction_urls": urls, "canary_urls": canaries})
    return server


def test_the_name_of_the_model_need_not_resolve(server: Server) -> None:
    assert server.model("wine").ask(WINE).predictions == ["setosa"]
    ((host, path, body),) = server.seen
    assert (host, path) == (f"wine.models.localhost:{server.port}", "/v2/models/wine/infer")
    assert body["parameters"] == {"content_type": "pd"}
    assert [(t["name"], t["datatype"], t["data"]) for t in body["inputs"]] == [
        ("ash", "FP64", [2.4]),
        ("magnesium", "INT64", [100]),
    ]


def test_a_model_behind_tls_is_asked_by_who_trusts_its_authority_with_a_token(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = authority.issue(["wine.models.localhost"], days=1)
    (tmp_path / "pair.pem").write_text(issued["private_key"] + issued["certificate"])
    server.secure(tmp_path / "pair.pem")
    monkeypatch.setenv(connection.TOKEN, "a token")
    url = server.model("wine").url.replace("http:", "https:")
    assert Model("wine", url, issued["authority"]).ask(WINE).predictions == ["setosa"]
    assert server.tokens[-1] == "Bearer a token"
    with pytest.raises(LocalError, match="somebody whom nothing here knows"):
        Model("wine", url).ask(WINE)


@pytest.mark.parametrize("serving", [["iris", "wine"]], indirect=True)
def test_without_words_the_example_is_asked_of_the_model_that_takes_it(
    serving: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    predict.predict(layout())
    said = capsys.readouterr().out
    assert "iris 3: " in said
    assert "-> setosa" in said


@pytest.mark.parametrize("serving", [["iris", "wine", "rose"]], indirect=True)
@pytest.mark.parametrize(("words", "name", "path"), [
    (["sepal_length=1", "sepal_width=1", "petal_length=1", "petal_width=1"], None, "/v2/models/iris/infer"),
    (["ash=2.4", "magnesium=100"], "rose", "/v2/models/rose/infer"),
])  # fmt: skip
def test_of_several_models_columns_or_a_name_choose(
    serving: Server, words: list[str], name: str | None, path: str
) -> None:
    predict.predict(layout(), words, name)
    assert serving.seen[0][1] == path


@pytest.mark.parametrize("serving", [["iris", "wine"]], indirect=True)
def test_a_canary_can_be_asked_alone(serving: Server) -> None:
    predict.predict(layout(), ["ash=2.4", "magnesium=100"], canary=True)
    assert serving.seen[0][0] == f"canary-wine.models.localhost:{serving.port}"


@pytest.mark.parametrize("serving", [["iris"]], indirect=True)
def test_a_canary_that_there_is_not_is_said(serving: Server) -> None:
    with pytest.raises(LocalError, match="no model has a canary; declare one at `serving`"):
        predict.predict(layout(), canary=True)


@pytest.mark.parametrize(
    ("serving", "words", "name", "says"),
    [
        ([], [], None, "the stack serves no model"),
        (["wine"], [], None, "wine takes ash, magnesium; give it values: make predict FILE=.*ARGS="),
        (["iris"], ["ash=1"], None, "don't fit model iris: missing: sepal_length, .*; unknown: ash; it takes sepal_"),
        (["iris"], ["ash=1"], "wine", "no served model is named 'wine'; there are iris"),
        (["iris", "wine"], ["ash=1"], None, "none of the served models takes the columns ash;.*MODEL=...: iris, wine"),
        (["wine", "rose"], ["ash=1", "magnesium=1"], None, "more than one of the served models.*: wine, rose"),
        (["wine"], ["ash=-1", "magnesium=1"], None, "answered 500: .*it has failed"),
    ],
    indirect=["serving"],
)
def test_what_can_not_be_asked_is_said_with_the_way_out(
    serving: Server, words: list[str], name: str | None, says: str
) -> None:
    with pytest.raises(LocalError, match=says):
        predict.predict(layout(), words, name)


@pytest.mark.parametrize("serving", [["wine", "iris"]], indirect=True)
def test_up_waits_for_each_model_and_asks_those_that_take_the_example(
    serving: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    predict.wait_for_answers(predict.served(layout()), print, timeout=1)
    predict.predict_example(layout())
    assert {path for _, path, _ in serving.seen} == {"/v2/models/iris/infer"}
    assert "-> setosa" in capsys.readouterr().out


def test_a_model_that_stays_silent_ends_the_wait_with_its_last_words() -> None:
    silent = Model("iris", "http://iris.models.localhost:1/v2/models/iris/infer")
    with pytest.raises(LocalError, match=r"nothing answers at http://iris.models.localhost:1/.*make status"):
        predict.wait_for_answers([silent], lambda _: None, timeout=0)


@pytest.mark.parametrize("url", ["http://x.localhost:1/v2/models/x/infer", "https://x.localhost:1/v2/models/x/infer"])
def test_a_place_that_can_not_be_asked_is_named_with_what_to_do(url: str) -> None:
    with pytest.raises(LocalError, match="make status") as refused:
        Model("x", url).inputs()
    assert "x.localhost" in str(refused.value)


def test_a_server_of_ones_own_need_not_tell_what_it_takes(server: Server) -> None:
    models = [server.model("silent"), server.model("wine")]
    predict.wait_for_answers(models, lambda _: None, timeout=0)
    assert predict.choose(models, WINE).name == "wine"


def test_what_is_not_asked_by_protocol_v2_is_left_out() -> None:
    urls = {"a": "http://a.test/v1/models/a:predict", "b": "http://b.test/", "c": "http://c.test/v2/models/c/infer"}
    assert [each.name for each in predict.of_outputs({"prediction_urls": urls})] == ["c"]
