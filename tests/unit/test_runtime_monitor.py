"""A look at a deployed model: which requests count, what labels say, and what makes it degraded.

Evidently itself is in the image of the monitor alone, and is asked on the node; here is what it is given, and what is
made of what it tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest
from ml_runtime import asked_rows, collector, download, drift, kept, monitor, monitor_spec, quality, taken, tracking
from ml_runtime.asked_rows import AskedRows, Compared
from ml_runtime.data_spec import Task
from ml_runtime.drift import Drift, Score
from ml_runtime.errors import RunError, SpecError
from ml_runtime.monitor_spec import MonitorSpec
from ml_runtime.recorded import Answered
from ml_runtime.schema import Column, Kind, Schema
from ml_runtime.taken import Taken
from ml_runtime.verdict import Verdict
from mlflow.entities import Run
from support import collected, learned, s3
from support.s3 import Store

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LABELS = "s3://datasets/labels/"
DESCRIBED: dict[str, Any] = {
    "run": "flowers-monitor-1", "patience": 1, "model": "flowers", "requests": str(collected.PREFIX),
    "services": ["iris"], "period": 7, "drift": {"min_rows": 10},
}  # fmt: skip
QUALITY: dict[str, Any] = {"labels": LABELS, "metric": "accuracy", "at_least": 0.9, "min_rows": 4}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with s3.store(monkeypatch) as found:
        yield found


@pytest.fixture
def champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run of the champion, version 1 of flowers, with the rows that it was judged by, in an MLflow."""
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    monkeypatch.setattr(download, "read", lambda uri, _: Path(uri.removeprefix("file://")).read_bytes())
    client, rows = tracking.client(), kept.to_csv(learned.read().test, learned.SCHEMA)
    digest = hashlib.sha256(rows).hexdigest()
    known = {tracking.TEST_DIGEST: digest, tracking.TARGET: "species", tracking.TASK: "classification"}
    run = client.create_run(tracking.experiment("flowers"), tags=known)
    client.log_text(run.info.run_id, rows.decode(), tracking.rows_path(digest))
    client.log_text(run.info.run_id, learned.SCHEMA.to_json(), tracking.SCHEMA)
    client.create_registered_model("flowers")
    client.create_model_version("flowers", f"{run.info.artifact_uri}/model", run.info.run_id)
    client.set_registered_model_alias("flowers", tracking.CHAMPION, "1")
    return run


@pytest.fixture
def compares(monkeypatch: pytest.MonkeyPatch) -> list[Compared]:
    """What evidently is given; it finds that a column has drifted where its mean, or first value, is another one."""
    given: list[Compared] = []

    def of(tables: Compared, _: float) -> Drift:
        given.append(tables)
        scores = {
            name: Score(value=abs(tables.reference[name].mean() - tables.current[name].mean()), threshold=1, method="d")
            for name in tables.numbers
        }
        return Drift(scores=scores, page=b"<html>both</html>")

    monkeypatch.setattr(drift, "of", of)
    return given


def spec(**changes: Any) -> MonitorSpec:
    return monitor_spec.parse({**DESCRIBED, **changes})


def request(number: int, answer: Any = "7", **columns: Any) -> bytes:
    values = {"request": {"length": [4.0], "colour": ["red"], **columns}, "answer": {"output-1": [answer]}}
    return json.dumps({"id": f"id-{number}", "time": NOW.timestamp() - number, **values}).encode() + b"\n"


def put(lines: Sequence[bytes], version: str = "1") -> None:
    collector.put(collected.rules(), f"/iris/{version}/batch", b"".join(lines), NOW)


def looked(**changes: Any) -> Verdict:
    return monitor.monitor(spec(**changes), NOW + timedelta(seconds=1))


def tags() -> dict[str, str]:
    return dict(tracking.client().get_model_version("flowers", "1").tags)


def test_requests_like_the_rows_that_it_was_judged_by_are_no_drift(
    store: Store, champion: Run, compares: list[Compared]
) -> None:
    put([request(number) for number in range(20)])
    put([request(number, length=[900.0]) for number in range(20)], version="2")
    found = looked()
    assert (found.accepted, found.rule, found.outputs["degraded"], found.numbers["rows"]) == (
        True, "finished", "false", 20,
    )  # fmt: skip
    (given,) = compares
    assert (given.numbers, given.categories, len(given.reference)) == (["length"], ["colour", "prediction"], 30)
    assert tags()[monitor.DEGRADED] == "false"


def test_requests_that_drift_make_it_degraded_and_leave_a_page(
    store: Store, champion: Run, compares: list[Compared]
) -> None:
    put([request(number, length=[900.0]) for number in range(20)])
    found = looked()
    assert (found.accepted, found.rule, found.outputs["degraded"]) == (False, "drift", "true")
    assert "length have drifted" in found.reason
    client = tracking.client()
    assert tags()[monitor.DEGRADED] == "true"
    assert tags()[monitor.LOOK] == found.outputs["report"]
    look = client.get_run(found.outputs["report"])
    assert look.data.metrics["drift/length"] > 800
    path = Path(client.download_artifacts(look.info.run_id, "drift.html"))
    assert path.read_text() == "<html>both</html>"


def test_too_few_requests_say_nothing_and_leave_the_tag_as_it_was(store: Store, champion: Run) -> None:
    tracking.client().set_model_version_tag("flowers", "1", monitor.DEGRADED, "true")
    put([request(number, length=[900.0]) for number in range(9)])
    found = looked()
    assert (found.accepted, found.rule, "degraded" in found.outputs) == (True, "too-few", False)
    assert tags()[monitor.DEGRADED] == "true"


def test_a_model_without_a_champion_is_not_looked_at_yet(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    assert looked().reason == "flowers has no champion yet"


def test_only_the_newest_rows_are_held(store: Store, champion: Run, compares: list[Compared]) -> None:
    put([request(number) for number in range(50)])
    assert looked(drift={"min_rows": 10, "rows": 15}).numbers["rows"] == 15


def test_requests_before_the_period_do_not_count(store: Store, champion: Run) -> None:
    line = json.loads(request(1)) | {"time": (NOW - timedelta(days=8)).timestamp()}
    put([json.dumps(line).encode() + b"\n"])
    assert looked().numbers["rows"] == 0


def test_what_people_say_is_counted_and_kept(store: Store, champion: Run) -> None:
    said = [{"id": f"id-{n}", "time": NOW.timestamp(), "good": n > 1, "comment": f"no {n}"} for n in range(3)]
    put([json.dumps(each).encode() + b"\n" for each in said])
    found = looked()
    assert (found.numbers["good"], found.numbers["bad"]) == (1, 2)
    path = Path(tracking.client().download_artifacts(found.outputs["report"], "opinions.json"))
    assert {each["comment"] for each in json.loads(path.read_text())} == {"no 0", "no 1", "no 2"}


def labelled(store: Store, text: str, **changes: Any) -> Verdict:
    store.put("labels/1.csv", text)
    return looked(quality={**QUALITY, **changes})


def test_labels_that_come_later_say_how_often_it_was_right(store: Store, champion: Run) -> None:
    put([request(number) for number in range(8)])
    found = labelled(store, "id,species\nid-0,7\nid-1,7\nid-2,007\nid-3,7\n")
    assert (found.numbers["labels"], found.numbers["accuracy"]) == (4, 0.75), "007 and 7 are two classes"
    assert (found.rule, found.outputs["degraded"]) == ("quality", "true")
    assert "accuracy is 0.75 on 4 answers; the bound is 0.9" in found.reason


def test_labels_that_never_come_fail_nothing(store: Store, champion: Run) -> None:
    put([request(number) for number in range(8)])
    found = looked(quality=QUALITY)
    assert (found.rule, found.numbers["labels"]) == ("too-few", 0)
    assert "0 answers have a label, of 4" in found.reason


def test_labels_that_come_twice_or_for_unknown_ids_are_counted_and_the_later_one_holds(
    store: Store, champion: Run
) -> None:
    put([request(number) for number in range(8)])
    store.put("labels/2.csv", "id,species\nid-0,7\nid-2,7\nid-3,7\nnobody,7\n,7\nid-4,\n")
    found = labelled(store, "id,species\nid-0,007\nid-1,7\n")
    assert (found.numbers["labels_twice"], found.numbers["labels_elsewhere"]) == (1, 1)
    assert (found.numbers["accuracy"], found.rule) == (1, "finished")


def test_a_request_of_several_rows_needs_the_place_of_each_label(store: Store, champion: Run) -> None:
    lines = {"request": {"length": [1.0, 2.0]}, "answer": {"output-1": ["7", "007"]}}
    put([json.dumps({"id": "two", "time": NOW.timestamp(), **lines}).encode() + b"\n"])
    found = labelled(store, "id,row,species\ntwo,0,7\ntwo,1,007\n", min_rows=2)
    assert (found.numbers["labels"], found.numbers["accuracy"]) == (2, 1)
    without = labelled(store, "id,species\ntwo,7\n", min_rows=1)
    assert (without.numbers["labels"], without.numbers["labels_elsewhere"]) == (0, 1)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("key,species\nid-0,7\n", "no column 'id', only 'key', 'species'"),
        ("id,kind\nid-0,7\n", "what was right, 'species'"),
        ("id,row,species\nid-0,first,7\n", "row is 'first'; it is a whole number"),
    ],
)
def test_labels_of_another_shape_are_named(store: Store, champion: Run, text: str, rule: str) -> None:
    with pytest.raises(RunError, match=rule):
        labelled(store, text)


def test_a_label_of_a_regression_that_is_no_number_is_named() -> None:
    rows = AskedRows(names=["length"])
    rows.add(answered("a", {"length": [1.0]}, {"output-1": [2.5]}))
    rules = monitor_spec._quality(monitor_spec.Block("", {"labels": LABELS, "metric": "mae", "min_rows": 1}, {
        "labels", "metric", "min_rows", "id", "at_least", "at_most",
    }))  # fmt: skip
    right = quality.of(rows, quality.Labels(each={("a", None): "3.5"}), rules, Task.REGRESSION)
    assert right.score == 1
    with pytest.raises(RunError, match="a label of a regression is a number"):
        quality.of(rows, quality.Labels(each={("a", None): "much"}), rules, Task.REGRESSION)


def answered(name: str, request: dict[str, Any], answer: dict[str, Any]) -> Answered:
    return Answered(id=name, time=NOW, version="1", request=request, answer=answer)


MODEL = Taken(
    schema=Schema(
        (
            Column("n", Kind.NUMBER), Column("text", Kind.TEXT), Column("at", Kind.TIME),
            Column("secret", Kind.CATEGORY), Column("y", Kind.NUMBER),
        )
    ),
    target="y",
    task=Task.REGRESSION,
)  # fmt: skip


def test_texts_are_compared_by_length_and_what_is_not_kept_is_left_out() -> None:
    import pandas

    rows = AskedRows(names=MODEL.features.names)
    rows.add(answered("a", {"n": [1, None], "text": ["abc", None], "at": ["2026", "2027"]}, {"o": [1.5, 2.5]}))
    rows.add(answered("b", {"n": ["no number"], "text": [7]}, {"o": [1], "second": [2]}))
    judged = pandas.DataFrame({"n": [1.0], "text": ["ab"], "at": [NOW], "secret": ["x"]})
    found = asked_rows.compared(rows, judged, numpy.array([1.0]), MODEL)
    assert (found.numbers, found.categories) == (["n", "length of text", "prediction"], [])
    assert found.left_out == ["at", "secret"]
    assert found.current["length of text"].tolist()[:1] == [3.0]
    assert found.current["prediction"].tolist()[:2] == [1.5, 2.5]
    assert found.current["n"].isna().sum() == 2
    assert rows.answers == {("a", 0): 1.5, ("a", 1): 2.5}, "of two outputs nobody knows which one is right"


def test_a_small_probability_is_drift_and_so_is_a_large_distance() -> None:
    told = [
        ("K-S p_value", 0.01, True), ("K-S p_value", 0.5, False), ("Jensen-Shannon distance", 0.5, True),
        ("Jensen-Shannon distance", 0.01, False), ("K-S p_value", float("nan"), False),
    ]  # fmt: skip
    for method, value, drifted in told:
        assert Score(value=value, threshold=0.1, method=method).drifted is drifted
    kinds = {"type": "evidently:metric_v2:ValueDrift", "column": "a", "threshold": 0.1, "method": "K-S p_value"}
    whole = {"type": "evidently:metric_v2:DriftedColumnsCount", "drift_share": 0.5}
    found = drift.scores([{"config": whole, "value": {"share": 1}}, {"config": kinds, "value": 0.02}])
    assert found == {"a": Score(value=0.02, threshold=0.1, method="K-S p_value")}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"services": []}, "services is"),
        ({"period": 0}, "period is 0"),
        ({"drift": {"share": 2}}, "drift.share is 2"),
        ({"quality": {**QUALITY, "metric": "roc_auc"}}, "quality.metric is 'roc_auc'"),
        ({"quality": {**QUALITY, "labels": "labels.csv"}}, "quality.labels is 'labels.csv'"),
        ({"quality": {**QUALITY, "at_least": "much"}}, "quality.at_least is 'much'"),
        ({"more": 1}, "unknown key more"),
    ],
)
def test_a_wrong_description_is_named_by_its_key(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError, match=key):
        spec(**changes)


def test_a_model_that_no_run_of_the_platform_has_made_is_named(store: Store, champion: Run) -> None:
    tracking.client().delete_tag(champion.info.run_id, tracking.TARGET)
    with pytest.raises(RunError, match="no run of `runs` has made it"):
        taken.of(tracking.client().get_run(champion.info.run_id), 1)
    with pytest.raises(RunError, match="no run of `runs` has made it"):
        looked()
