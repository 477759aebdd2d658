"""A training from its description to its MLflow run, and everything that is known before the fit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy
import pandas
import pytest
from ml_runtime import ask, candidate, folds, kept, learning_spec, libraries, tables, tracking, train
from ml_runtime.data_spec import Task
from ml_runtime.errors import AwayError, RunError
from ml_runtime.fitting import Program
from ml_runtime.own_code import OwnCode
from ml_runtime.schema import Column, Kind, Schema
from mlflow.entities import Run
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from support import learned


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)


def done(program: Program | None = None, **changes: Any) -> Run:
    run = train.train(learning_spec.parse({**learned.DESCRIBED, **changes}), program or Program())
    assert run is not None
    return run


def refusal(program: Program | None = None, **changes: Any) -> str:
    with pytest.raises(RunError) as refused:
        done(program, **changes)
    return str(refused.value)


def artifacts(run: Run) -> dict[str, Path]:
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def runs() -> list[Run]:
    client = tracking.client()
    return list(client.search_runs([each.experiment_id for each in client.search_experiments()]))


def test_a_run_leaves_all_that_its_gate_needs() -> None:
    run, table = done(parameters={"max_depth": 2}), learned.read()
    tags = run.data.tags
    assert {tags[tag] for tag in (tracking.RUN_KEY, tracking.TARGET, tracking.TASK)} == {
        "flowers-1", "species", "classification",
    }  # fmt: skip
    assert (tags[tracking.DATA], tags[tracking.DATA_DIGEST]) == ("s3://datasets/flowers.csv", "d" * 64)
    found = artifacts(run)
    rows = found[tracking.rows_path(tags[tracking.TEST_DIGEST])].read_bytes()
    schema = Schema.from_json(found[tracking.SCHEMA].read_text())
    pandas.testing.assert_frame_equal(kept.from_csv(rows, schema), table.test)
    assert {tracking.TRAINING_ROWS, tracking.TEST_ROWS, "code/requirements.txt"} <= set(found)
    assert {"pictures/confusion.png", "pictures/roc.png"} <= set(found)
    assert run.data.params == {"estimator": "decision-tree", "seed": "0", "max_depth": "2"}
    assert run.data.metrics["test_rows"] == 30
    assert run.data.metrics["test_accuracy"] > 0.9
    folder = Path(tracking.model_location(run).removeprefix("file://"))
    given = ask.asked(folder, table.test[["length", "colour"]], Task.CLASSIFICATION, ("007", "7"))
    assert given.classes == ("007", "7")
    assert set(given.labels) == {"007", "7"}


def test_the_test_rows_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written, to_csv = [], kept.to_csv
    monkeypatch.setattr(kept, "to_csv", lambda *given: written.append(to_csv(*given)) or written[-1])
    found = artifacts(done())
    assert [content for path, content in found.items() if path.startswith("test/") and path.endswith(".csv")] == [
        found[tracking.rows_path(hashlib.sha256(written[0]).hexdigest())]
    ]
    assert len(written) == 1


def test_the_signature_is_that_of_raw_columns_and_what_may_be_missing_may_be_left_out() -> None:
    found = ask.signature(Path(tracking.model_location(done()).removeprefix("file://")))
    assert found is not None
    inputs = {each["name"]: (each["type"], each["required"]) for each in json.loads(found["inputs"])}
    assert inputs == {"length": ("double", True), "colour": ("string", False)}
    assert [each["type"] for each in json.loads(found["outputs"])] == ["string"]


def test_a_second_try_takes_the_run_that_finished_and_marks_what_was_cut_off() -> None:
    first = done()
    cut_off = tracking.client().create_run(first.info.experiment_id, tags={tracking.RUN_KEY: "flowers-1"})
    assert done().info.run_id == first.info.run_id
    assert tracking.client().get_run(cut_off.info.run_id).info.status == "KILLED"


def test_only_logging_is_tried_again_when_mlflow_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    fits, failures, log = [], [ConnectionRefusedError("away")], candidate._log_model

    def fit(features: Any, target: Any, *_: Any) -> Any:
        fits.append(1)
        return DummyClassifier().fit(features, target)

    def away_once(*args: Any) -> None:
        if failures:
            raise failures.pop()
        log(*args)

    monkeypatch.setattr(candidate, "_log_model", away_once)
    run = done(Program(fit=fit), estimator=None, patience=5)
    assert (len(fits), run.info.status, len(runs())) == (1, "FINISHED", 2)


@pytest.mark.parametrize(
    "failure",
    [
        OSError(28, "No space left on device"),
        ConnectionRefusedError("my own service"),
        SystemExit("enough"),
        KeyError("a"),
    ],
    ids=repr,
)
def test_what_a_script_raises_is_its_own_error_whatever_it_is(failure: BaseException) -> None:
    def fit(*_: Any) -> Any:
        raise failure

    program = Program(fit=fit, code=OwnCode(main=Path(__file__), files=(Path(__file__),)))
    said = refusal(program, estimator=None)
    assert f"fit failed in {Path(__file__).name}, line " in said
    assert f"(`raise failure`): {type(failure).__name__}" in said
    assert runs() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"estimator": None}, ["names no estimator", "train.main(fit)"]),
        ({"estimator": "dicision-tree"}, ["did you mean 'decision-tree'"]),
        ({"parameters": {"max_dept": 3}}, ["did you mean 'max_depth'"]),
    ],
)
def test_what_can_be_known_without_data_is_said_before_they_are_read(
    changes: dict[str, Any], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "read", lambda *_: pytest.fail("read"))
    said = refusal(**changes)
    for word in words:
        assert word in said


def test_two_runs_that_begin_at_once_share_the_experiment_of_their_model(monkeypatch: pytest.MonkeyPatch) -> None:
    made, client = tracking.experiment("flowers"), tracking.client()
    answers = iter([None, client.get_experiment_by_name("flowers")])
    monkeypatch.setattr(client, "get_experiment_by_name", lambda _: next(answers))
    monkeypatch.setattr(tracking, "client", lambda: client)
    assert tracking.experiment("flowers") == made


def test_a_deleted_experiment_is_said_with_the_way_out_before_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted = tracking.experiment("flowers")
    tracking.client().delete_experiment(deleted)
    monkeypatch.setattr(tables, "read", lambda *_: pytest.fail("read"))
    assert f"'flowers' is deleted in MLflow: restore it by `mlflow experiments restore --experiment-id {deleted}`" in (
        refusal()
    )


def test_a_failed_fit_leaves_no_run_and_names_its_estimator() -> None:
    said = refusal(estimator="k-neighbors", parameters={"n_neighbors": 2, "algorithm": "kd_tree", "metric": "cosine"})
    assert "the estimator 'k-neighbors' failed: ValueError: Metric 'cosine' not valid" in said
    assert runs() == []


def test_folds_give_mean_and_deviation_of_each_metric() -> None:
    found = done(folds=3).data.metrics
    assert 0.8 < found["cv_accuracy_mean"] <= 1
    assert 0 <= found["cv_roc_auc_std"] < 0.2


def test_folds_keep_groups_together_and_the_order_of_time() -> None:
    groups = [number // 10 for number in range(90)]
    by_group = learning_spec.parse({**learned.DESCRIBED, "data": {**DATA, "test": {"by": ["customer"]}}})
    for learned_rows, compared in folds.of(by_group, learned.read(groups), 3):
        assert not {groups[row] for row in learned_rows} & {groups[row] for row in compared}
    by_time = learning_spec.parse({**learned.DESCRIBED, "data": {**DATA, "test": {"time": "at", "from": "2026-01-01"}}})
    for learned_rows, compared in folds.of(by_time, learned.read(), 3):
        assert max(learned_rows) < min(compared)
    before, after = folds.one(by_time, learned.read(), 0.2)
    assert (list(after), len(before)) == (list(range(72, 90)), 72)


def test_too_few_groups_for_so_many_folds_are_said() -> None:
    spec = learning_spec.parse({**learned.DESCRIBED, "data": {**DATA, "test": {"by": ["customer"]}}})
    with pytest.raises(RunError, match="the training rows can't be cut into 5 parts"):
        list(folds.of(spec, learned.read([number // 45 for number in range(90)]), 5))


DATA: dict[str, Any] = learned.DESCRIBED["data"]


class Alone(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A model of a user's own."""

    def predict(self, model_input: Any, params: Any = None) -> Any:
        long = model_input["length"].to_numpy() > 4
        return pandas.DataFrame({"007": 1.0 - long, "7": 1.0 * long})


class ByHour(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Tells by the time of the day."""

    def predict(self, model_input: Any, params: Any = None) -> Any:
        return numpy.where(model_input["when"].dt.hour < 12, "007", "7")


def test_a_model_is_asked_with_the_times_that_it_was_fitted_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(rows: Any) -> Any:
        hours = rows.species.map({"007": 3, "7": 15})
        return rows.assign(when=pandas.Timestamp("2026-01-01", tz="UTC") + pandas.to_timedelta(hours, "h"))

    found, seen = learned.read(), []
    schema = Schema((*found.schema.columns, Column("when", Kind.TIME)))
    table = replace(found, training=timed(found.training), test=timed(found.test), schema=schema)
    monkeypatch.setattr(tables, "read", lambda *_: table)

    def fit(features: Any, *_: Any) -> Any:
        seen.append(str(features["when"].dtype))
        return ByHour()

    run = done(Program(fit=fit), estimator=None)
    assert run.data.metrics["test_accuracy"] == 1.0
    assert "UTC" not in seen[0]


class Homemade(BaseEstimator):  # type: ignore[misc]
    """An estimator that no server has."""

    def predict(self, rows: Any) -> Any:
        return numpy.full(len(rows), "7", dtype=object)


def test_a_python_model_answers_with_probabilities_by_class() -> None:
    run = done(Program(fit=lambda *_: Alone()), estimator=None, folds=2)
    assert run.data.metrics["test_accuracy"] > 0.9
    assert run.data.metrics["cv_roc_auc_mean"] > 0.9


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (None, ["fit gave back nothing"]),
        ("a text", ["builtins.str", "mlflow.pyfunc.PythonModel"]),
        (Homemade(), ["Homemade", "no server has", "trusted=["]),
    ],
)
def test_a_model_that_nothing_can_serve_is_refused(model: Any, words: list[str]) -> None:
    said = refusal(Program(fit=lambda *_: model), estimator=None)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("module", "flavour"),
    [
        ("torch.nn.modules.module", "pytorch"),
        ("onnx.onnx_ml_pb2", "onnx"),
        ("xgboost.core", "xgboost"),
        ("lightgbm.basic", "lightgbm"),
        ("sklearn.pipeline", "sklearn"),
    ],
)
def test_the_library_of_a_model_is_that_of_the_nearest_class(module: str, flavour: str) -> None:
    theirs = type("Theirs", (), {"__module__": module})
    assert libraries.library(type("Own", (theirs,), {"__module__": "__main__"})()) == flavour


def test_what_a_model_needs_is_named_by_the_releases_that_are_installed() -> None:
    found = libraries.requirements({"sklearn", "xgboost", "nothing"})
    assert [each.partition("==")[0] for each in found] == ["scikit-learn", "xgboost-cpu"]


def test_an_absent_mlflow_is_no_error_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(tracking, "begun", away)
    with pytest.raises(AwayError, match="MLflow was away"):
        done(patience=0.1)
