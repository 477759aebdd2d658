"""A fit that takes batches: it learns from all training rows, of which memory holds a block and a sample."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy
import pandas
import pyarrow
import pytest
from ml_runtime import candidate, folds, formats, learning_spec, tables, tracking, train
from ml_runtime.batches import Batches
from ml_runtime.errors import RunError
from ml_runtime.fitting import Program
from ml_runtime.split import Sketch
from pyarrow import parquet
from sklearn.linear_model import SGDClassifier
from support import learned, s3
from support.tabled import described

ROWS, GROUP = 20_000, 1_000
COLUMNS = ["a", "b"]


def content(rows: int = ROWS) -> bytes:
    numbers = numpy.random.default_rng(0)
    frame = pandas.DataFrame({"a": numbers.normal(size=rows), "b": numbers.normal(size=rows)})
    frame["machine"] = numpy.arange(rows) % 97
    frame["time"] = pandas.Timestamp("2026-01-01", tz="UTC") + pandas.to_timedelta(numpy.arange(rows), unit="min")
    frame["species"] = numpy.where(frame["a"] + frame["b"] > 0, "yes", "no")
    stream = BytesIO()
    parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), stream, row_group_size=GROUP)
    return stream.getvalue()


@pytest.fixture
def uri(there: s3.Store, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(formats, "ROWS", GROUP)
    return there.put("a.parquet", content())


def values(frames: list[pandas.DataFrame]) -> list[tuple[Any, ...]]:
    return list(pandas.concat(frames)[[*COLUMNS, "species"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "test", [{"fraction": 0.3}, {"by": ["machine"]}, {"time": "time", "from": "2026-01-10"}], ids=["hash", "by", "time"]
)
def test_batches_are_all_training_rows_each_time_and_the_table_has_a_sample(test: dict[str, Any], uri: str) -> None:
    whole = tables.read(described(uri, test=test), 1)
    with tables.streamed(described(uri, test=test, sample=200), 1) as (table, batches):
        passes = [[features.assign(species=target) for features, target in batches] for _ in range(2)]
    assert values(passes[0]) == values(passes[1]) == values([whole.training])
    assert 0 < max(map(len, passes[0])) <= GROUP
    assert (len(table.training), len(table.test)) == (200, 50)
    assert table.training_rows == whole.training_rows
    assert (batches.classes, [*passes[0][0].columns]) == (("no", "yes"), [*whole.training.columns])


def test_a_test_of_its_own_is_in_no_batch(there: s3.Store, uri: str) -> None:
    other = there.put("test.parquet", content(500))
    with tables.streamed(described(uri, test={"uri": other}, sample=200), 1) as (table, batches):
        assert sum(len(target) for _, target in batches) == ROWS
    assert len(table.test) == 50


def test_memory_holds_one_batch_at_a_time(uri: str) -> None:
    with tables.streamed(described(uri, sample=200), 1) as (_, batches):
        parts = [features for features, _ in batches]
        whole, one = (pandas.concat(some).memory_usage(deep=True).sum() for some in (parts, parts[:1]))
        del parts
        tracemalloc.start()
        try:
            assert sum(len(target) for _, target in batches) > ROWS // 2
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert one < peak < whole / 2


def by_batches(batches: Batches, parameters: Mapping[str, Any], seed: int) -> SGDClassifier:
    model = SGDClassifier(loss="log_loss", random_state=seed)
    for _ in range(parameters["epochs"]):
        for features, target in batches:
            model.partial_fit(features[COLUMNS], target, classes=batches.classes)
    return model


def described_run(uri: str, **changes: Any) -> Any:
    data = {"uri": uri, "target": "species", "features": COLUMNS, "sample": 200}
    return learning_spec.parse(
        {**learned.DESCRIBED, "data": data, "estimator": None, "parameters": {"epochs": 2}, **changes}
    )


def test_a_run_learns_from_all_rows_and_leaves_a_candidate_like_any_other(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    run = train.train(described_run(uri, folds=2), Program(by_batches=by_batches))
    numbers = run.data.metrics
    assert 15_000 < numbers["training_rows"] < 17_000
    assert numbers["test_rows"] == 50
    assert numbers["test_accuracy"] > 0.95
    assert numbers["cv_accuracy_mean"] > 0.8
    assert candidate.verdict(described_run(uri), run).outputs == {"model": run.info.run_id}
    assert tracking.model_id(run)


def test_a_part_of_the_rows_is_one_batch_with_all_classes() -> None:
    given: list[tuple[int, tuple[str, ...]]] = []

    def fit(batches: Batches, parameters: Mapping[str, Any], seed: int) -> Any:
        given.extend((len(target), batches.classes) for _, target in batches)
        return by_batches(batches, {"epochs": 1}, seed)

    table, spec = learned.read(), learning_spec.parse({**learned.DESCRIBED, "folds": 3, "estimator": None})
    fitted = Program(by_batches=fit).of(spec, table.schema, {})
    with pytest.raises(RunError, match="fit failed: KeyError"):
        folds.scores(spec, table, fitted)
    assert given == [(60, ("007", "7"))]


def test_a_fit_by_batches_that_gives_nothing_back_is_told_so(uri: str) -> None:
    fitted = Program(by_batches=lambda *_: None).of(described_run(uri), learned.SCHEMA, {})
    with pytest.raises(RunError, match="fit gave back nothing"):
        fitted(*(learned.frame(9)[name] for name in (["length"], "species")), {}, 0)


@pytest.mark.parametrize("size", [10, 1_000])
def test_a_sketch_that_grows_is_that_of_all_rows(size: int) -> None:
    hashes = numpy.random.default_rng(1).integers(0, 300, 900).astype("uint64")
    grown = Sketch.of(hashes[:100], COLUMNS, size)
    for start in range(100, 900, 200):
        grown = grown.joined(hashes[start : start + 200], size)
    assert grown == Sketch.of(hashes, COLUMNS, size)
    assert grown.whole == (size == 1_000)
