"""A tuning without Ray: its contract, the trials that a seed draws, what is said of them, and a second try."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from ml_runtime import data, search, study, trial, tune, tune_spec
from ml_runtime.candidate import Rows
from ml_runtime.errors import RunError, SpecError
from ml_runtime.progress import Progress
from ml_runtime.study import TRIAL, Study

DESCRIBED: dict[str, Any] = {
    "run": "iris-1",
    "dataset": {"bucket": "datasets", "key": "iris.csv"},
    "columns": ["length", "width", "species"],
    "target": "species",
    "experiment": "iris",
    "estimator": "xgboost",
    "metric": "accuracy",
    "search": {"eta": {"uniform": [0, 1]}},
}
SPEC = tune_spec.parse(DESCRIBED)
ROWS = [[str(index), str(index % 7), str(index % 3)] for index in range(90)]


def test_what_is_left_out_has_the_documented_default() -> None:
    assert (SPEC.trials, SPEC.validation, SPEC.at_once, SPEC.threads, SPEC.parameters) == (20, 0.2, 2, 1, {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"search": {}}, ["search", "a domain for each parameter"]),
        ({"search": {"eta": [0, 1]}}, ["search.eta", "[0, 1]", "uniform"]),
        ({"search": {"eta": {"normal": [0, 1]}}}, ["search.eta", "normal"]),
        ({"search": {"eta": {"uniform": [1, 0]}}}, ["search.eta", "in order"]),
        ({"search": {"eta": {"log_uniform": [0, 1]}}}, ["search.eta", "above 0"]),
        ({"search": {"depth": {"integer": [0.5, 2]}}}, ["search.depth"]),
        ({"search": {"depth": {"choice": []}}}, ["search.depth", "choice with a list"]),
        ({"metric": "rmse"}, ["metric", "'rmse'", "accuracy"]),
        ({"trials": 0}, ["trials", "a whole number from 1"]),
        ({"validation": 1}, ["validation", "between 0 and 1"]),
        ({"trails": 5}, ["unknown key trails", "trials"]),
    ],
)
def test_a_mistake_names_the_key_and_the_rule(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SpecError) as error:
        tune_spec.parse({**DESCRIBED, **changes})
    for word in words:
        assert word in str(error.value)


def chance(seed: int) -> dict[str, search.Sampler]:
    drawn = random.Random(seed)
    return {"width": drawn.random, "depth": lambda: drawn.randint(1, 8)}


def test_a_trial_is_the_same_however_many_there_are() -> None:
    assert search.draw(chance(1), 20)[3] == search.draw(chance(1), 5)[3]
    assert list(search.draw(chance(1), 3)) == [1, 2, 3]
    assert search.draw(chance(1), 3) != search.draw(chance(2), 3)


def test_trials_are_compared_on_rows_that_are_neither_trained_on_nor_held_out() -> None:
    training, held_out = data.split(data.Table(SPEC.columns, ROWS), "species", SPEC.task, 0.2)
    rows = trial.split(Rows(spec=SPEC, training=training, held_out=held_out, sha256="d"), 0.25)
    assert (len(rows.training.rows), len(rows.validation.rows), len(rows.held_out.rows)) == (54, 18, 18)
    assert sorted(rows.training.rows + rows.validation.rows + held_out.rows) == sorted(ROWS)
    assert rows.scored == {"training": rows.training, "validation": rows.validation}


def test_each_end_of_a_trial_is_said_with_the_best_so_far(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(tune_spec.parse({**DESCRIBED, "trials": 3}))
    progress.finished(2, 0.9)
    progress.failed(3, "ValueError: no")
    progress.finished(1, 0.9)
    assert capsys.readouterr().out.splitlines() == [
        "trial 2 of 3: accuracy 0.9000; the best is trial 2 with 0.9000",
        "trial 3 of 3: failed: ValueError: no",
        "trial 1 of 3: accuracy 0.9000; the best is trial 2 with 0.9000",
    ]
    assert progress.failures == {3: "ValueError: no"}


def test_where_less_is_better_the_least_is_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(tune_spec.parse({**DESCRIBED, "task": "regression", "metric": "rmse"}))
    progress.finished(1, 0.5)
    progress.finished(2, 0.3)
    assert "the best is trial 2 with 0.3000" in capsys.readouterr().out


class Tracking:
    """MLflow's client, as far as a study asks it."""

    def __init__(self, *runs: tuple[int, str, float]) -> None:
        self.runs = [self._run(f"run-{number}", status, number, score) for number, status, score in runs]
        self.ended: dict[str, str] = {}

    def search_runs(self, *_: Any, **__: Any) -> list[Any]:
        return self.runs

    def set_terminated(self, run_id: str, status: str) -> None:
        self.ended[run_id] = status

    def set_tag(self, *_: Any) -> None: ...

    def log_metric(self, *_: Any) -> None: ...

    @staticmethod
    def _run(run_id: str, status: str, number: int, score: float) -> Any:
        tags = {TRIAL: str(number), "ml-platform.dataset.sha256": "d", "ml-platform.held-out.sha256": "h"}
        content = SimpleNamespace(tags=tags, metrics={"validation_accuracy": score})
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id, status=status), data=content)


STUDY = Study(spec=SPEC, run_id="parent", experiment_id="1")


def tracked(monkeypatch: pytest.MonkeyPatch, *runs: tuple[int, str, float]) -> Tracking:
    client = Tracking(*runs)
    monkeypatch.setattr(study.tracking, "client", lambda: client)
    return client


def test_of_equal_trials_the_first_is_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    tracked(monkeypatch, (5, "FINISHED", 0.9), (9, "FINISHED", 0.95), (7, "FINISHED", 0.95), (1, "FAILED", 1.0))
    assert STUDY.best()[0] == 7


def test_trials_that_were_cut_off_are_marked_and_not_taken_for_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    client = tracked(monkeypatch, (1, "FINISHED", 0.9), (2, "RUNNING", 0.0))
    STUDY.settle("KILLED")
    assert client.ended == {"run-2": "KILLED"}
    assert list(STUDY.finished()) == [1]


def test_the_verdict_names_the_best_trial_and_how_many_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    client = tracked(monkeypatch, (1, "FINISHED", 0.9), (2, "FAILED", 0.0), (3, "FINISHED", 0.95))
    verdict = tune.verdict_of(STUDY, Progress(SPEC))
    assert (verdict.candidate, verdict.accepted) == ("run-3", True)
    assert (verdict.numbers["trials"], verdict.numbers["failed_trials"]) == (20, 18)
    assert "trial 3 is the best of 2 that have finished, of 20: accuracy 0.9500" in verdict.reason
    assert client.ended == {"parent": "FINISHED"}


def test_a_tuning_without_a_finished_trial_fails_in_the_words_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    client, progress = tracked(monkeypatch, (1, "FAILED", 0.0)), Progress(SPEC)
    progress.failed(1, "ValueError: eta must be positive")
    with pytest.raises(RunError, match="none of 20 trials has finished; trial 1: ValueError: eta must be positive"):
        tune.verdict_of(STUDY, progress)
    assert client.ended == {"parent": "FAILED"}
