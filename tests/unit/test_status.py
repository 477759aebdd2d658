"""The served models in `make status`: what is there, and how it does where there are metrics."""

from __future__ import annotations

from typing import Any

import pytest
from ml_local import served
from ml_local.errors import LocalError
from ml_local.predict import Answer
from ml_local.status import columns

URLS = {"prediction_urls": {"iris": "http://iris.models.localhost:8080/v2/models/iris/infer"}}
WATCHED = {**URLS, "dashboards_url": "http://metrics.localhost:8080/vmui/#/dashboards"}


class Cluster:
    """One service with two pods, of which one is ready."""

    def list(self, _: str, kind: str, __: str, **more: Any) -> list[dict[str, Any]]:
        if kind == "InferenceService":
            env = [{"name": served.VERSION, "value": "7"}]
            return [{"metadata": {"name": "iris"}, "spec": {"predictor": {"model": {"env": env}}}}]
        assert more == {"labels": "serving.kserve.io/inferenceservice=iris,component=predictor"}
        return [{"status": {"conditions": [{"type": "Ready", "status": said}]}} for said in ("True", "False")]


def answer(values: dict[str, str]) -> Answer:
    result = [{"metric": {"service": name}, "value": [0, value]} for name, value in values.items()]
    return Answer(200, {"data": {"result": result}}, 0.0)


def test_without_metrics_the_table_has_what_is_there() -> None:
    assert served.table(Cluster(), URLS) == [["model", "version", "replicas"], ["iris", "7", "1"]]  # type: ignore[arg-type]


def test_nothing_that_is_served_is_no_table() -> None:
    assert served.table(Cluster(), {}) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "row"),
    [
        (answer({"iris": "12.345"}), ["iris", "7", "1", "12.3", "12.3", "12.3"]),
        (answer({"iris": "NaN"}), ["iris", "7", "1", "-", "-", "-"]),
        (Answer(503, {}, 0.0), ["iris", "7", "1", "-", "-", "-"]),
        (LocalError("nothing answers"), ["iris", "7", "1", "-", "-", "-"]),
    ],
    ids=["asked", "not asked", "busy", "away"],
)
def test_metrics_say_how_it_does(said: Any, row: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def send(method: str, url: str) -> Answer:
        assert url.startswith("http://metrics.localhost:8080/api/v1/query?query=")
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(served, "send", send)
    assert served.table(Cluster(), WATCHED) == [["model", "version", "replicas", *served.QUERIES], row]  # type: ignore[arg-type]


def test_columns_begin_at_one_place() -> None:
    assert columns([["model", "version"], ["a-long-name", "7"]]) == ["model        version", "a-long-name  7"]
    assert columns([]) == []
