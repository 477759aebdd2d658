"""Requests on their way from a model server to the object store: none is lost, none is there twice, and none keeps what
it must not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import collector, recorded, recorder, spool
from ml_runtime.collector import NoBatchError
from ml_runtime.errors import RunError, SpecError
from ml_runtime.recorded import Answered, Opinion
from ml_runtime.recorder import Recorder
from ml_runtime.response_outputs import Output
from ml_runtime.spool import Spool
from support import collected, s3
from support.collected import PREFIX
from support.s3 import Store
from support.until import until

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BATCH = "/iris/3/batch-1"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with s3.store(monkeypatch) as found:
        yield found


def recording(folder: Path, port: int, sample: float = 1.0, **of_spool: Any) -> tuple[Spool, Recorder]:
    url = f"http://127.0.0.1:{port}/iris/3"
    kept = Spool(folder, lambda name, content: recorder.give(f"{url}/{name}", content), **{"every": 0.05, **of_spool})
    return kept, Recorder(kept, sample)


def ask(recorder: Recorder, number: int) -> None:
    output = Output("output-1", [1], "BYTES", [b"setosa"])
    recorder.answered(f"id-{number}", {"length": numpy.array([float(number)])}, [output])


class Silent(collector._Answers):
    """Puts the first batch away, and has gone before it says so."""

    silent = 1

    def _answer(self, code: int, said: str) -> None:
        if Silent.silent:
            Silent.silent -= 1
            self.close_connection = True
            return
        super()._answer(code, said)


def test_of_10_000_requests_none_is_lost_or_there_twice_where_the_collector_ends_in_the_middle(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "BATCH", 50_000)
    monkeypatch.setattr(spool, "FIRST_PAUSE", 0.05)
    known = collected.rules()
    with collected.running(known) as first:
        first.RequestHandlerClass = Silent
        kept, asked = recording(tmp_path, first.server_port)
        for number in range(5000):
            ask(asked, number)
        until(lambda: not Silent.silent and len(collected.rows(store)) > 500, "nothing arrives", seconds=60)
    for number in range(5000, 10_000):  # nobody takes any
        ask(asked, number)
    with collected.running(known, first.server_port):
        until(lambda: not list(tmp_path.iterdir()), "some wait for ever", seconds=120)
    found = [row["id"] for row in collected.rows(store)]
    assert (len(found), len(set(found)), kept.lost) == (10_000, 10_000, 0)
    asked.close()


def test_what_a_process_has_left_is_given_away_by_the_next_one(store: Store, tmp_path: Path) -> None:
    (tmp_path / "before-00000001.open").write_bytes(collected.line(1, time.time()) + b'{"id": "cut o')
    with collected.running(collected.rules()) as server:
        _, asked = recording(tmp_path, server.server_port)
        until(lambda: not list(tmp_path.iterdir()), "it stays", seconds=60)
        asked.close()
    assert [row["id"] for row in collected.rows(store)] == ["id-1"]


def test_what_is_there_at_the_end_of_a_server_is_given_away_before_it_ends(store: Store, tmp_path: Path) -> None:
    with collected.running(collected.rules()) as server:
        _, asked = recording(tmp_path, server.server_port, every=3600)
        ask(asked, 1)
        asked.close()
    assert [row["id"] for row in collected.rows(store)] == ["id-1"]


def test_a_full_room_loses_the_newest_and_counts_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept, asked = recording(tmp_path, 1, room=1000)
    for number in range(100):
        ask(asked, number)
    there = sum(path.read_bytes().count(b"\n") for path in tmp_path.iterdir())
    assert kept.lost == 100 - there > 0
    assert "requests are not kept" in caplog.text


def test_a_batch_that_is_no_batch_goes_and_those_after_it_arrive(store: Store, tmp_path: Path) -> None:
    (tmp_path / "before-00000001.jsonl").write_bytes(b"no JSON\n")
    with collected.running(collected.rules()) as server:
        kept, asked = recording(tmp_path, server.server_port)
        ask(asked, 2)
        until(lambda: not list(tmp_path.iterdir()), "they stay", seconds=60)
        asked.close()
    assert ([row["id"] for row in collected.rows(store)], kept.lost) == (["id-2"], 1)


def test_a_sample_keeps_about_its_part(tmp_path: Path) -> None:
    _, asked = recording(tmp_path, 1, sample=0.25, every=3600)
    for number in range(2000):
        ask(asked, number)
    lines = sum(path.read_bytes().count(b"\n") for path in tmp_path.iterdir())
    assert 380 < lines < 620


def test_keeping_a_request_takes_less_than_a_tenth_of_a_millisecond(tmp_path: Path) -> None:
    _, asked = recording(tmp_path, 1, every=3600)
    rows = pandas.DataFrame({f"column {number}": [float(number)] for number in range(4)})
    took = []
    for number in range(500):
        start = time.perf_counter()
        asked.answered(f"id-{number}", rows, [Output("output-1", [1, 1], "FP64", [1.0])])
        took.append(time.perf_counter() - start)
    assert sorted(took)[250] < 1e-3, "the median, on a machine that does other things as well"


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        (pandas.DataFrame({"a": [1.5, 2.0], "b": ["x", None]}), {"a": [1.5, 2.0], "b": ["x", None]}),
        (pandas.DataFrame([[1, 2]]), {"input-0": [1], "input-1": [2]}),
        (numpy.array([[1, 2], [3, 4]]), {"input-0": [[1, 2], [3, 4]]}),
        ({"left": numpy.array([1]), "right": numpy.array([2])}, {"left": [1], "right": [2]}),
    ],
)
def test_what_a_model_was_asked_is_kept_by_column(asked: Any, columns: dict[str, Any]) -> None:
    assert recorder.columns(asked) == columns


def test_a_column_that_is_to_be_dropped_and_is_not_there_is_no_start(tmp_path: Path) -> None:
    kept, _ = recording(tmp_path, 1, every=3600)
    named = Recorder(kept, 1.0, ["customer", "nmae"])
    named.check(["name", "customer", "nmae"])
    with pytest.raises(
        recorder.UnknownColumnError, match=r"the column 'nmae' .* has name, customer; is 'name' meant\?"
    ):
        named.check(["name", "customer"])


def put(store: Store, *lines: bytes, path: str = BATCH, now: datetime = NOW, **rules: Any) -> list[dict[str, Any]]:
    collector.put(collected.rules(**rules), path, b"".join(lines), now)
    return collected.rows(store)


def test_a_batch_that_comes_twice_is_there_once(store: Store) -> None:
    for _ in range(2):
        rows = put(store, collected.line(1, NOW.timestamp()), collected.line(2, NOW.timestamp()))
    assert [row["id"] for row in rows] == ["id-1", "id-2"]


def test_requests_lie_by_service_version_and_day(store: Store) -> None:
    before = (NOW - timedelta(days=1)).timestamp()
    rows = put(store, collected.line(1, before), collected.line(2, NOW.timestamp()))
    assert [row["key"].removeprefix("datasets/requests/") for row in rows] == [
        "service=iris/version=3/day=2026-11-30/batch-1.parquet",
        "service=iris/version=3/day=2026-12-01/batch-1.parquet",
    ]


def test_columns_are_left_out_or_hashed_in_the_request_and_in_the_answer(store: Store) -> None:
    lines = [collected.line(number, NOW.timestamp(), name=["Ada"], customer=[7, None]) for number in range(2)]
    rows = put(store, *lines, drop=["name", "output-1"], hash=["customer"])
    request = json.loads(rows[0]["request"])
    assert (set(request), json.loads(rows[0]["answer"])) == ({"length", "customer"}, {})
    (hashed, missing) = request["customer"]
    assert (len(hashed), missing) == (32, None)
    assert rows[0]["request"] == rows[1]["request"], "equal values stay equal"
    assert "Ada" not in "".join(map(str, store.objects.values()))


def test_a_hash_without_a_key_is_refused() -> None:
    with pytest.raises(SpecError, match="ML_REQUESTS_KEY has no key"):
        collector.parse({"uri": str(PREFIX), "services": {"iris": {"hash": ["customer"]}}}, "")


@pytest.mark.parametrize("seconds", [0, 1e12, 1e300, NOW.timestamp() + 3600, -1e300])
def test_a_time_that_can_not_be_is_that_of_the_arrival(store: Store, seconds: float) -> None:
    (row,) = put(store, collected.line(1, seconds))
    assert row["time"] == NOW


def test_a_clock_that_is_ahead_removes_nothing_and_one_that_is_right_what_is_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (0, 6, 8):
        put(store, collected.line(days, (NOW - timedelta(days=days)).timestamp()), path=f"/iris/3/batch-{days}")
    store.put("requests/service=iris/readme.txt", "stays")
    rules = collected.rules(keep=7)
    monkeypatch.setattr(collector.store, "clock", lambda *_: NOW)
    assert collector.sweep(rules, NOW - timedelta(days=400)) == 0
    assert collector.sweep(rules, NOW + timedelta(days=400)) == 1
    assert {row["id"] for row in collected.rows(store)} == {"id-0", "id-6"}
    assert "datasets/requests/service=iris/readme.txt" in store.objects


def test_the_store_tells_its_own_time(store: Store) -> None:
    assert abs(collector.store.clock(PREFIX, 1) - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("path", ["/", "/iris/3", "/iris/../batch", "/iris/3/a/b", "/iris/3/a%2Fb"])
def test_a_path_of_another_kind_is_refused(store: Store, path: str) -> None:
    with pytest.raises(NoBatchError):
        put(store, collected.line(1, NOW.timestamp()), path=path)


@pytest.mark.parametrize("line", [b"{}\n", b"[]\n", b"5\n", b'{"id": 1, "time": "now", "request": {}, "answer": {}}\n'])
def test_a_line_that_is_no_request_is_named(store: Store, line: bytes) -> None:
    with pytest.raises(NoBatchError, match="line 2 is no request"):
        put(store, collected.line(1, NOW.timestamp()), line)
    assert not store.objects


def test_a_service_that_is_not_known_yet_is_no_reason_to_let_its_requests_go(store: Store) -> None:
    with pytest.raises(RunError, match="of wine are not kept; those of iris are") as refused:
        put(store, path="/wine/1/batch")
    assert not isinstance(refused.value, NoBatchError)


def test_what_was_kept_is_read_once_in_its_time(store: Store) -> None:
    for batch in ("a", "b"):  # as two servers that were asked the same
        put(store, collected.line(1, NOW.timestamp()), path=f"/iris/3/{batch}")
    said = {"id": "id-1", "time": NOW.timestamp(), "good": False, "comment": "too late"}
    put(store, json.dumps(said).encode() + b"\n", path="/iris/3/c")
    put(store, collected.line(2, (NOW - timedelta(days=2)).timestamp()), path="/iris/2/d")
    read = partial(recorded.read, PREFIX, ["iris", "other"], patience=1)
    found = list(read(since=NOW - timedelta(days=1), until=NOW + timedelta(seconds=1)))
    (answered,) = (each for each in found if isinstance(each, Answered))
    (opinion,) = (each for each in found if isinstance(each, Opinion))
    assert (answered.id, answered.version, answered.request) == ("id-1", "3", {"length": [1.0]})
    assert (opinion.id, opinion.good, opinion.comment) == ("id-1", False, "too late")
    assert len(list(read(since=NOW - timedelta(days=3), until=NOW))) == 1


def test_a_day_is_kept_for_as_many_days_as_are_said() -> None:
    assert recorded.oldest(1, NOW) == date(2026, 11, 30)


def test_a_batch_that_is_too_large_is_refused(store: Store) -> None:
    with collected.running(collected.rules()) as server, pytest.raises(spool.RefusedError, match="413"):
        recorder.give(f"http://127.0.0.1:{server.server_port}{BATCH}", b"x" * (collector.LARGEST + 1))


def test_nobody_waits_for_ever_at_the_end(tmp_path: Path) -> None:
    _, asked = recording(tmp_path, 1)
    ask(asked, 1)
    ending = threading.Thread(target=partial(asked._spool.close, 0.2))
    ending.start()
    ending.join(5)
    assert not ending.is_alive()
