"""A training by an image of one's own, its two steps of the platform around a program that saves a model itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import mlflow.sklearn
import numpy
import pandas
import pytest
from ml_runtime import ask, finish, handover, learning_spec, prepare, tables, tracking
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError, SpecError
from ml_runtime.handover import Handover
from ml_runtime.learning_spec import ImageSpec
from ml_runtime.schema import Column, Kind, Schema
from ml_runtime.split import row_hashes
from mlflow.entities import Run
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from support import learned

IMAGE = f"registry.test/train@sha256:{'1' * 64}"
FEATURES = ["length", "colour"]
DESCRIBED = {
    **{name: value for name, value in learned.DESCRIBED.items() if name != "estimator"},
    "image": IMAGE, "command": ["python", "train.py"], "parameters": {"C": 10.0}, "seed": 7,
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handover:
    """Those of a pod, and an MLflow."""
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    for folder in ("rows", "kept", "saved"):
        (tmp_path / folder).mkdir()
    named = {
        "ML_RUN": "rows/run.json", "ML_TRAINING_ROWS": "rows/training.parquet", "ML_SCHEMA": "rows/schema.json",
        "ML_MODEL": "saved/model", "ML_KEPT": "kept",
    }  # fmt: skip
    return Handover.of({name: str(tmp_path / path) for name, path in named.items()})


def spec(**changes: Any) -> ImageSpec:
    return learning_spec.parse_image({**DESCRIBED, **changes})


def program(files: Handover, save: Callable[..., None] = mlflow.sklearn.save_model, **more: Any) -> None:
    """What a user's own may be: it knows its files alone."""
    run = json.loads(files.run.read_text())
    rows = pandas.read_parquet(files.training_rows)
    model = make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression(random_state=run["seed"], **run["parameters"])
    )
    model.fit(rows[run["features"]], rows[run["target"]])
    save(model, str(files.model), **{"serialization_format": "skops", **more})


def done(files: Handover, learns: Callable[[Handover], None] = program) -> Run:
    prepare.prepare(spec(), files)
    learns(files)
    return finish.finish(spec(), files)


def refusal(files: Handover, learns: Callable[[Handover], None]) -> str:
    with pytest.raises(RunError) as refused:
        done(files, learns)
    client = tracking.client()
    assert not client.search_runs([each.experiment_id for each in client.search_experiments()])
    return str(refused.value)


def model_of(run: Run) -> Path:
    return Path(tracking.model_location(run).removeprefix("file://"))


def test_the_program_is_given_the_training_rows_and_never_a_test_row(files: Handover) -> None:
    prepare.prepare(spec(), files)
    given, table = pandas.read_parquet(files.training_rows), learned.read()
    assert list(given.columns) == table.schema.names
    assert len(given) == len(table.training)
    hashes = [set(row_hashes(rows.astype({"length": float}), ["length"])) for rows in (given, table.training)]
    assert hashes[0] == hashes[1]
    below = {path.name for path in files.run.parent.iterdir()}
    assert below == {"run.json", "training.parquet", "schema.json"}, "nothing else lies where the program can look"


def test_no_row_of_the_test_is_in_the_file_of_a_table_that_is_really_divided(
    files: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    data = learning_spec.parse_image({**DESCRIBED, "data": {"uri": "sklearn:wine", "target": "cultivar"}})
    table = tables.read(data.data, 1)
    handover.write(files, data, table)
    given = pandas.read_parquet(files.training_rows)
    both = given.merge(table.test, how="inner", on=table.schema.names)
    assert (len(given) > 100, len(table.test) > 20, len(both)) == (True, True, 0)


def test_the_program_is_told_its_run_and_nothing_of_where_the_data_are(files: Handover) -> None:
    prepare.prepare(spec(), files)
    assert json.loads(files.run.read_text()) == {
        "run": "flowers-1", "target": "species", "task": "classification", "features": FEATURES,
        "parameters": {"C": 10.0}, "seed": 7,
    }  # fmt: skip
    assert Schema.from_json(files.schema.read_text()) == learned.SCHEMA


def test_what_is_handed_on_is_the_table_to_the_last_bit(files: Handover) -> None:
    columns = (Column("at", Kind.TIME, nullable=True), Column("n", Kind.NUMBER, whole=True), Column("f", Kind.FILE))
    before = learned.read()
    more = {"at": pandas.to_datetime(["2026-01-01T00:00:00.123456789Z", None], utc=True), "n": [1, 2], "f": [b"a", b""]}
    wide = pandas.concat(
        [before.training.head(2), pandas.DataFrame(more).astype({"at": "datetime64[ns, UTC]"})], axis=1
    )
    table = replace(before, training=wide, test=wide, schema=Schema((*before.schema.columns, *columns)), refused=3)
    handover.write(files, spec(), table)
    after = handover.read(files)
    for name in ("training", "test"):
        pandas.testing.assert_frame_equal(getattr(after, name), getattr(table, name))
    assert {**asdict(after), "training": 0, "test": 0} == {**asdict(table), "training": 0, "test": 0}
    handover.write(files, spec(), replace(table, test_groups=numpy.array([1002, 1001]), notes=("rare",)))
    assert handover.read(files).notes == ("rare",)
    assert str(handover.read(files).test_groups) == "[1 0]"


def test_the_model_is_a_candidate_like_any_other(files: Handover) -> None:
    run, table = done(files), learned.read()
    assert run.data.metrics["test_accuracy"] > 0.9
    assert run.data.metrics["training_rows"] == 90
    assert run.data.params == {"image": IMAGE, "seed": "7", "C": "10.0"}
    assert run.data.tags[tracking.DATA_DIGEST] == "d" * 64
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {tracking.SCHEMA, tracking.TRAINING_ROWS, tracking.TEST_ROWS, "pictures/confusion.png"} <= kept
    given = ask.asked(model_of(run), table.test[FEATURES], Task.CLASSIFICATION, ("007", "7"))
    assert set(given.labels) == {"007", "7"}


def test_a_model_without_a_signature_gets_that_of_the_columns_and_another_one_stays(files: Handover) -> None:
    found = ask.signature(model_of(done(files)))
    assert found is not None
    assert {each["name"]: each["type"] for each in json.loads(found["inputs"])} == {
        "length": "double",
        "colour": "string",
    }
    shutil.rmtree(files.model)
    rows = learned.frame(5)[FEATURES]
    own = infer_signature(rows, ["7"] * 5)
    program(files, signature=own)
    assert ask.signature(model_of(finish.finish(spec(run="flowers-2"), files))) == own.to_dict()


def test_a_second_try_takes_the_run_that_finished_whatever_is_there(files: Handover) -> None:
    first = done(files)
    shutil.rmtree(files.model)
    assert finish.finish(spec(), files).info.run_id == first.info.run_id


class Stubborn(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A model that can't be asked."""

    def predict(self, model_input: Any, params: Any = None) -> Any:
        raise KeyError("width")


def of_r(files: Handover) -> None:
    """As MLflow for R saves a function."""
    files.model.mkdir()
    (files.model / "MLmodel").write_text("flavors:\n  crate:\n    version: 0.1\n    model: crate.bin\n")


def elsewhere(files: Handover) -> None:
    program(files)
    (files.model / "more.csv").symlink_to(files.kept / "test.csv")


def stubborn(files: Handover) -> None:
    mlflow.pyfunc.save_model(str(files.model), python_model=Stubborn())


@pytest.mark.parametrize(
    ("learns", "words"),
    [
        (lambda _: None, ["has saved no model", "has no MLmodel, only nothing", "save_model"]),
        (lambda files: (files.model / "weights").mkdir(parents=True), ["has no MLmodel, only weights"]),
        (of_r, ["that no server can ask", "the flavours ['crate'] and not python_function"]),
        (stubborn, ["the model failed", "KeyError: 'width'"]),
        (elsewhere, ["a link to a file that is no part of it: more.csv"]),
        (
            lambda files: program(files, signature=infer_signature(pandas.DataFrame({"w": [1.0]}))),
            ["the columns ['w']"],
        ),
    ],
    ids=["nothing", "no MLmodel", "a flavour of R", "a model that raises", "a link", "other columns"],
)
def test_a_model_that_can_not_be_taken_is_refused_in_one_sentence(
    learns: Callable[[Handover], None], words: list[str], files: Handover
) -> None:
    said = refusal(files, learns)
    for word in words:
        assert word in said
    assert "\n" not in said


def test_a_deleted_experiment_is_said_before_the_program_has_begun(files: Handover) -> None:
    tracking.client().delete_experiment(tracking.experiment("flowers"))
    with pytest.raises(RunError, match="is deleted in MLflow"):
        prepare.prepare(spec(), files)
    assert not files.training_rows.exists()


def test_what_is_not_told_is_named() -> None:
    with pytest.raises(RunError, match="ML_KEPT is not set"):
        Handover.of({f"ML_{name}": "/x" for name in ("RUN", "TRAINING_ROWS", "SCHEMA", "MODEL")})
    with pytest.raises(SpecError, match="command is 'train'; it must be a list of texts"):
        spec(command="train")


def test_of_several_workers_the_first_ones_model_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ml_runtime.finish"])
    monkeypatch.setenv("ML_WORKER", "1")
    assert finish.main() == 0
    assert "the first worker's model is the candidate" in capsys.readouterr().out
    monkeypatch.setenv("ML_WORKER", "0")
    assert finish.main() != 0  # it looks for a description, and there is none
