"""Web pages that ask a model in a browser: which are told that they may, and by which server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_runtime import origins, transformer
from ml_runtime.transformer import Transformer
from ml_workloads.settings import WorkloadsSettings
from support import work
from support.serving import ISVC

PAGE, OTHER = "https://app.example.com", "http://elsewhere.test:8080"
STORED = {"uri": "pvc://models/mpg/3", "format": "sklearn"}
SCRIPT = {"script": "workloads/examples/mpg/units.py"}
IMAGE = f"registry.test/units@sha256:{'1' * 64}"


def asked(origin: str, method: str = "POST") -> tuple[int, dict[str, str]]:
    """The status and the headers by which a transformer answers a browser on a page of that origin."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"instances": [1]}', "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    headers = {"origin": origin, "host": "mpg.models.test", "content-type": "application/json"}
    headers |= {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    scope = {
        "type": "http", "method": method, "path": "/v1/models/mpg:predict", "query_string": b"", "http_version": "1.1",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }  # fmt: skip
    served: Any = transformer.application(Transformer(None, None, lambda rows: rows))
    asyncio.run(served(scope, receive, send))
    found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], found


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
@pytest.mark.parametrize(
    ("told", "origin", "answer"),
    [(PAGE, PAGE, PAGE), (f"{OTHER} {PAGE}", PAGE, PAGE), ("*", PAGE, "*"), (PAGE, OTHER, None), ("", PAGE, None)],
)
def test_a_browser_is_told_that_a_page_may_ask_where_the_settings_say_so(
    method: str, told: str, origin: str, answer: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(origins.VARIABLE, told)
    status, headers = asked(origin, method)
    assert headers.get("access-control-allow-origin") == answer
    if method == "POST":
        assert status == 200
    elif answer:
        assert "POST" in headers["access-control-allow-methods"]
        assert headers["access-control-allow-headers"] == "content-type"


@pytest.mark.parametrize("block", [STORED, {"model": "iris"}], ids=["files", "registered"])
def test_the_model_server_is_told_the_pages(block: dict[str, Any]) -> None:
    settings = {**work.IRIS, "serving": {"iris": {**block, "origins": [PAGE, OTHER]}}}
    server = work.declare(settings).inputs(ISVC, "iris")["spec"]["predictor"]["model"]
    assert {"name": origins.VARIABLE, "value": f"{PAGE} {OTHER}"} in server["env"]


def test_a_script_before_the_model_is_told_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_workloads.script.text", lambda _, path, __: f"the text of {path}")
    tree = work.declare({"serving": {"mpg": {"image": IMAGE, "transformer": SCRIPT, "origins": [PAGE]}}})
    (container,) = tree.inputs(ISVC, "mpg")["spec"]["transformer"]["containers"]
    assert {"name": origins.VARIABLE, "value": PAGE} in container["env"]


@pytest.mark.parametrize(
    ("block", "origins", "rule"),
    [
        (STORED, ["app.example.com"], "pattern"),
        (STORED, [f"{PAGE}/"], "pattern"),
        (STORED, ["*", PAGE], "name it alone"),
        ({"image": IMAGE}, [PAGE], "have your own server answer them"),
        ({**STORED, "format": "onnx"}, [PAGE], "have your own server answer them"),
        ({**STORED, "transformer": {"image": IMAGE}}, [PAGE], "have your own server answer them"),
    ],
)
def test_origins_that_can_not_be_are_named(block: dict[str, Any], origins: list[str], rule: str) -> None:
    with pytest.raises(SettingsError, match=r"ml-platform:workloads\.serving\.mpg\.origins") as refused:
        validate("workloads", {"serving": {"mpg": {**block, "origins": origins}}}, WorkloadsSettings)
    assert rule in str(refused.value)
