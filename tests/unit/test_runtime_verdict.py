"""A verdict's way into its ConfigMap: over what is there, made anew, after rights that come late, or not at all."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any
from urllib.error import HTTPError

import pytest
from ml_runtime import verdict
from ml_runtime.errors import RunError
from ml_runtime.spec import VerdictPlace
from ml_runtime.verdict import Verdict
from support import waiting

PLACE = VerdictPlace(namespace="models", configmap="iris-1")
VERDICT = Verdict(run="iris-1", accepted=True, rule="finished", reason="it is done")
PATCH, POST = ("PATCH", "/api/v1/namespaces/models/configmaps/iris-1"), ("POST", "/api/v1/namespaces/models/configmaps")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return waiting.clock(monkeypatch)


def api(monkeypatch: pytest.MonkeyPatch, *answers: int) -> list[tuple[str, str, Any]]:
    """An API that answers so, the last for ever; what it is asked."""
    asked: list[tuple[str, str, Any]] = []

    def send(method: str, path: str, body: Any, _: str) -> None:
        asked.append((method, path, body))
        code = answers[min(len(asked), len(answers)) - 1]
        if code >= 400:
            raise HTTPError(path, code, "", Message(), None)

    monkeypatch.setattr(verdict, "_send", send)
    return asked


@pytest.mark.parametrize(("answers", "requests"), [([200], [PATCH]), ([404, 201], [PATCH, POST])])
def test_a_verdict_is_written_whether_there_is_a_configmap_or_not(
    answers: list[int], requests: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = api(monkeypatch, *answers)
    verdict.write(VERDICT, PLACE, 10)
    assert [(method, path) for method, path, _ in asked] == requests
    assert json.loads(asked[-1][2]["data"]["verdict.json"])["reason"] == "it is done"


@pytest.mark.parametrize("code", [401, 403])
def test_rights_that_the_api_server_does_not_know_yet_are_waited_for(
    code: int, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = api(monkeypatch, code, code, 200)
    verdict.write(VERDICT, PLACE, 10)
    assert len(asked) == 3
    assert 0 < clock[0] < verdict.UNTIL_KNOWN


def test_rights_that_never_come_are_named(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    api(monkeypatch, 403)
    with pytest.raises(RunError, match=r"may not write the ConfigMap models/iris-1 \(403\).*create on configmaps"):
        verdict.write(VERDICT, PLACE, 10)
    assert verdict.UNTIL_KNOWN <= clock[0] < verdict.UNTIL_KNOWN + 5


def test_anything_else_fails_at_once(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = api(monkeypatch, 422)
    with pytest.raises(HTTPError):
        verdict.write(VERDICT, PLACE, 10)
    assert (len(asked), clock[0]) == (1, 0)
