"""Data scored by a version of a model: every row once, beside what is kept, and no part twice."""

from __future__ import annotations

import json
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pandas
import pytest
from ml_runtime import batch, download, formats, libraries, tracking
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError, SpecError
from ml_runtime.libraries import Saving
from ml_runtime.schema import Column, Kind, Schema
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression
from support import s3, tabled

SCHEMA = Schema(
    (
        Column("length", Kind.NUMBER),
        Column("width", Kind.NUMBER),
        Column("species", Kind.CATEGORY, categories=("setosa", "virginica")),
    )
)
FRAME = pandas.read_csv(BytesIO(tabled.CSV))
MODEL = LogisticRegression().fit(FRAME[["length", "width"]], FRAME.species)
FOLDER = "datasets/scores/run-1/"


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The tags of the run that made the version: the registry has one, and its files are the model's."""
    tags = {tracking.TARGET: "species", tracking.TASK: "classification", tracking.TEST_DIGEST: "d"}
    info = SimpleNamespace(artifact_uri="mlflow-artifacts:/a", run_id="a")
    run = SimpleNamespace(data=SimpleNamespace(tags=tags), info=info)
    saving = Saving(
        features=SCHEMA.without("species"), task=Task.CLASSIFICATION, example=FRAME[["length", "width"]].head(2)
    )
    monkeypatch.setattr(download, "download", lambda _, folder, __: libraries.save(MODEL, folder / "m", saving))
    monkeypatch.setattr(batch, "Loaded", lambda folder: _loaded(folder / "m"))
    monkeypatch.setattr(download, "read", lambda *_: SCHEMA.to_json().encode())
    monkeypatch.setattr(batch, "_version", lambda spec: spec.version)
    monkeypatch.setattr(tracking, "run_of", lambda _: run)
    monkeypatch.setattr(formats, "ROWS", 64)
    return tags


_loaded = batch.Loaded


def scored(uri: str, **changes: Any) -> batch.Verdict:
    data = {"uri": uri, **changes.pop("data", {})}
    raw = {
        "run": "run-1",
        "data": data,
        "model": "iris",
        "version": "3",
        "output": "s3://datasets/scores/",
        "patience": 1,
    }
    return batch.score(batch.parse({**raw, **changes}))


def parts(there: s3.Store) -> pandas.DataFrame:
    names = sorted(name for name in there.objects if name.startswith(FOLDER) and name.endswith(".parquet"))
    return pandas.concat([parquet.read_table(BytesIO(there.objects[name])).to_pandas() for name in names])


def test_every_row_is_answered_beside_the_columns_that_are_kept(version: Any, there: s3.Store) -> None:
    verdict = scored(there.put("a.parquet", tabled.as_parquet()), keep=["number"])
    assert verdict.outputs == {"scores": "s3://datasets/scores/run-1/"}
    found = parts(there)
    assert [*found.columns] == ["number", "prediction", "probability of setosa", "probability of virginica"]
    assert [*found.number] == [*FRAME.number]
    assert [*found.prediction] == [*MODEL.predict(FRAME[["length", "width"]])]
    assert found["probability of setosa"].to_numpy() == pytest.approx(
        MODEL.predict_proba(FRAME[["length", "width"]])[:, 0]
    )
    report = json.loads(there.objects[f"{FOLDER}_report.json"])
    assert (report["rows"], report["parts"], report["version"]) == (200, 4, "3")


def test_a_csv_is_scored_by_what_its_settings_say_and_all_its_columns_are_kept(version: Any, there: s3.Store) -> None:
    text = tabled.CSV.decode().replace(",", ";").replace(".", ",")
    scored(there.put("a.csv", text), data={"csv": {"separator": ";", "decimal": ","}})
    found = parts(there)
    assert [*found.columns][:4] == tabled.NAMES
    assert [*found.prediction] == [*MODEL.predict(FRAME[["length", "width"]])]


def test_a_run_that_starts_again_makes_the_missing_parts_alone(version: Any, there: s3.Store) -> None:
    uri = there.put("a.parquet", tabled.as_parquet())
    scored(uri)
    whole = dict(there.objects)
    del there.objects[f"{FOLDER}part-00002.parquet"]
    there.objects[f"{FOLDER}part-00001.parquet"] = b"is there"
    verdict = scored(uri)
    assert "in 4 parts, 1 of them now" in verdict.reason
    assert there.objects == {**whole, f"{FOLDER}part-00001.parquet": b"is there"}


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        ("length,species\n1,a\n", {}, "a.csv, line 2: there is no column 'width', which the model has learned from"),
        ("length,width\n1,2\n3,n/a!\n", {}, "a.csv, line 3, column 'width': 'n/a!' is not a number"),
        ("length,width\n1,2\n3,\n", {}, "a.csv, line 3: column 'width' is missing, and was in no row"),
        ("length,width\n1,2\n", {"keep": ["id"]}, "there is no column 'id', which `keep` names"),
        ("length,width,prediction\n1,2,3\n", {}, "has a column 'prediction', as the answers have"),
        ("length,width\n", {}, "has no rows"),
    ],
    ids=["column", "value", "missing", "keep", "clash", "empty"],
)
def test_what_can_not_be_scored_is_said_with_its_place(
    content: str, changes: dict[str, Any], words: str, version: Any, there: s3.Store
) -> None:
    with pytest.raises(RunError) as refused:
        scored(there.put("a.csv", content), **changes)
    assert words in str(refused.value)
    assert f"{FOLDER}_report.json" not in there.objects


def test_a_version_that_no_run_has_made_is_refused(version: dict[str, str], there: s3.Store) -> None:
    del version[tracking.TASK]
    with pytest.raises(RunError, match=r"has no tag ml-platform\.task: no run of `runs` has made it"):
        scored(there.put("a.parquet", tabled.as_parquet()))


def test_a_place_that_is_no_prefix_is_refused() -> None:
    with pytest.raises(SpecError, match="it must be a prefix, with a / at its end"):
        scored("s3://datasets/a.csv", output="s3://datasets/scores")
