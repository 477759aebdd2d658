"""A model under load: what is asked, what is counted, and what the report says."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ml_load import __main__, report
from ml_load.figures import Asked, Turn, against, numbers, percentile
from ml_load.load import Load, Outcome
from ml_load.run import Plan, run
from ml_local.predict import Model

SLOW = 0.05


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(asked.get("sleep", 0))
        status = asked.get("status", 200)
        text = json.dumps({"model_version": "3"} if status == 200 else {"error": "no such column"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://iris.models.localhost:{server.server_port}/v2/models/iris/infer"
    server.shutdown()
    server.server_close()


def test_each_answer_is_kept_with_the_version_that_gave_it(url: str) -> None:
    with Load(url, {}) as load:
        assert load.next(20) == {"3": 20}
    assert load.problems == []
    assert load.count == len(load.versions) >= 20


def test_a_rate_is_kept_to(url: str) -> None:
    with Load(url, {}, 40.0) as load:
        load.next(20)
    due = [each.due for each in load.outcomes[:20]]
    assert sorted(due) == pytest.approx([each / 40 for each in range(20)])


def test_the_wait_for_a_client_that_is_free_counts(url: str) -> None:
    with Load(url, {"sleep": SLOW}, 10 / SLOW, clients=1) as load:
        load.next(10)
    assert load.outcomes[9].seconds > 8 * SLOW, "the tenth was due after one of ten sleeps"


@pytest.mark.parametrize(
    ("body", "port", "said"),
    [({"status": 400}, None, "status 400: {\"error\": \"no such column\"}"), ({}, 1, "nothing answers at")],
    ids=["refused", "nobody there"],
)  # fmt: skip
def test_what_is_not_answered_says_why(body: dict[str, Any], port: int | None, said: str, url: str) -> None:
    with Load(f"http://127.0.0.1:{port}/" if port else url, body, 50.0) as load:
        load.until(lambda: load.count >= 3, 10)
    assert load.versions == []
    assert all(said in problem for problem in load.problems)


def test_two_targets_take_turns_and_their_replicas_are_counted(url: str) -> None:
    models = [(Model("iris", url), {}), (Model("slow", url), {"sleep": 0.2})]
    one, other = run(models, Plan(seconds=4.0, clients=2), lambda name: 1 if name == "iris" else 2, lambda _: None)
    assert len(one.turns) == len(other.turns) == 5
    begins = [asked.turns[at].outcomes[0].due for at in range(5) for asked in (one, other)]
    assert begins == sorted(begins)
    assert numbers(one)["replicas"] == 1
    assert numbers(other)["replicas"] == 2
    assert against(one, other)["p50_ms"] > 1.5


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (90, 9), (99, 10), (100, 10), (1, 1)])
def test_a_percentile_is_a_time_that_a_request_has_taken(percent: float, value: float) -> None:
    assert percentile([float(each) for each in range(1, 11)], percent) == value


def test_of_nothing_there_is_no_percentile() -> None:
    assert math.isnan(percentile([], 50))


def asked(name: str, seconds: float, problem: str = "") -> Asked:
    outcomes = [Outcome(at / 10, seconds, "" if problem and at == 7 else "3") for at in range(50)]
    if problem:
        outcomes[7] = Outcome(0.7, seconds, problem=problem)
    return Asked(name, f"http://{name}/", [Turn(5.0, outcomes)], [(0.0, 1), (2.5, 2)])


def test_a_report_has_numbers_pictures_and_what_was_said_in_place_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "load.html"
    report.write(path, [asked("iris", 0.01, "status 503: <busy>")], {"asked by": "4 clients"})
    page = path.read_text()
    assert page.count("<svg") == len(report.PICTURES)
    assert "4 clients" in page
    assert "status 503: &lt;busy&gt;" in page
    assert "<busy>" not in page
    known = json.loads(path.with_suffix(".json").read_text())["targets"]["iris"]
    assert (known["requests"], known["failed"], known["p50_ms"], known["replicas"]) == (50, 1, 10.0, 2)


def test_a_report_of_two_has_their_ratio(tmp_path: Path) -> None:
    path = tmp_path / "load.html"
    report.write(path, [asked("iris", 0.01), asked("other", 0.02)], {})
    assert json.loads(path.with_suffix(".json").read_text())["ratio"]["p50_ms"] == 2.0
    assert "ratio, median of the turns" in path.read_text()


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    report.write(tmp_path / "load.html", [Asked("iris", "http://iris/")], {})
    assert "<td>none</td>" in (tmp_path / "load.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--for", "2d"], "'2d' must be from 1s to 1h"),
        (["--for", "2h"], "'2h' must be from 1s to 1h"),
        (["--clients", "0"], "'0' must be a whole number from 1 to 256"),
        (["--rate", "-1"], "'-1' must be above 0 and at most 10000"),
        (["--rate", "nan"], "'nan' must be above 0 and at most 10000"),
        (["--rate", "5", "--clients", "4"], "not allowed with argument"),
    ],
)
def test_words_that_make_no_sense_are_named(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        __main__.main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("1.5m", 90), ("1h", 3600), ("20s", 20)])
def test_a_time_has_a_unit(text: str, seconds: float) -> None:
    assert __main__._seconds(text) == seconds
