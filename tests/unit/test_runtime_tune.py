"""A tuning without Ray: its trials, what is kept of them, a second try, and the one candidate that it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ml_runtime import kept, ray_tune, rounds, study, tables, tracking, trial, tune, tune_spec
from ml_runtime.errors import RunError
from ml_runtime.estimators import Recipe
from ml_runtime.fitting import Program
from ml_runtime.rounds import ALL
from ml_runtime.study import Study, Trial
from ml_runtime.trial import Parts, Trials
from ml_runtime.tune_spec import TuneSpec
from mlflow.entities import Run
from sklearn.dummy import DummyClassifier
from support import learned
from threadpoolctl import threadpool_limits

DESCRIBED: dict[str, Any] = {
    **learned.DESCRIBED,
    "metric": "accuracy",
    "trials": 3,
    "space": {"max_depth": {"integer": [1, 8]}},
}
DEPTHS = (1, 2, 3)


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    one_by_one(monkeypatch, *({"max_depth": depth} for depth in DEPTHS))


def one_by_one(
    monkeypatch: pytest.MonkeyPatch, *drawn: Mapping[str, Any], then: Callable[[], None] = lambda: None
) -> list[Mapping[str, Any]]:
    """In place of Ray: these parameters after each other, in this process; those that were tried."""
    tried: list[Mapping[str, Any]] = []

    def run(found: Study, trials: Trials, parts: Parts) -> None:
        for chosen in drawn[len(found.trials) :]:
            tried.append(chosen)
            try:
                for step, score in trials.run(parts, chosen):
                    ended = Trial(parameters=chosen, score=score, step=step)
            except RunError as failure:
                ended = Trial(parameters=chosen, failure=str(failure))
            found.add(ended)
            then()

    monkeypatch.setattr(ray_tune, "run", run)
    return tried


def spec(**changes: Any) -> TuneSpec:
    return tune_spec.parse({**DESCRIBED, **changes})


def tuned(program: Program | None = None, **changes: Any) -> Run:
    return tune.tune(spec(**changes), program or Program())


def trials_of(run: Run) -> dict[str, Run]:
    query = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    return {each.info.run_name: each for each in tracking.client().search_runs([run.info.experiment_id], query)}


def test_the_best_is_fitted_again_on_all_training_rows_and_is_the_one_candidate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tuned(parameters={"min_samples_leaf": 2})
    assert run.data.metrics["training_rows"] == 90
    best = int(run.data.metrics["best_trial"])
    assert (run.data.metrics["trials"], run.data.metrics["failed_trials"]) == (3, 0)
    assert (run.data.params["max_depth"], run.data.params["min_samples_leaf"]) == (str(DEPTHS[best - 1]), "2")
    assert tracking.model_id(run)
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == [f"trial {number} of 3" for number in (1, 2, 3)]
    assert f"the best is trial {best}" in said[-1]


def test_the_candidate_of_a_tuning_names_the_test_rows_that_it_has_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = learned.read([number // 5 for number in range(90)])
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch, table)
    written, to_csv = [], kept.to_csv
    monkeypatch.setattr(kept, "to_csv", lambda *given: written.append(to_csv(*given)) or written[-1])
    run = tuned()
    (rows,) = written
    digests = {
        tracking.TEST_DIGEST: hashlib.sha256(rows).hexdigest(),
        tracking.GROUPS_DIGEST: hashlib.sha256(kept.groups(table.test_groups) or b"").hexdigest(),
    }
    assert digests.items() <= run.data.tags.items()
    assert digests.items() <= tracking.client().get_logged_model(tracking.model_id(run)).tags.items()


def test_a_trial_keeps_its_parameters_and_its_score_and_nothing_else() -> None:
    run = tuned()
    found = trials_of(run)
    assert sorted(found) == ["flowers-1-1", "flowers-1-2", "flowers-1-3"]
    one = found["flowers-1-2"]
    assert one.data.params == {"max_depth": "2"}
    assert set(one.data.metrics) == {"validation_accuracy", "step"}
    assert tracking.RUN_KEY not in one.data.tags
    assert tracking.client().list_artifacts(one.info.run_id) == []


def test_trials_are_compared_on_rows_that_are_neither_learned_from_nor_tested_on() -> None:
    parts = trial.split(spec(validation=0.25), learned.read())
    assert (len(parts.training), len(parts.validation)) == (67, 23)
    assert not set(parts.training.index) & set(parts.validation.index)


def test_a_tuning_that_was_cut_off_goes_on_and_runs_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [{"max_depth": depth} for depth in DEPTHS]
    ends = iter([None, KeyboardInterrupt()])

    def cut_off() -> None:
        if end := next(ends):
            raise end

    assert one_by_one(monkeypatch, *drawn, then=cut_off) == []
    with pytest.raises(KeyboardInterrupt):
        tuned()
    tried = one_by_one(monkeypatch, *drawn)
    run = tuned()
    assert tried == drawn[2:]
    assert (len(trials_of(run)), run.info.status) == (3, "FINISHED")
    assert tuned().info.run_id == run.info.run_id


def test_a_script_is_called_with_the_parameters_of_each_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[dict[str, Any]] = []

    def fit(features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
        called.append(dict(parameters))
        if parameters["max_depth"] == 2:
            raise ValueError("two is no depth")
        return DummyClassifier().fit(features, target)

    run = tuned(Program(fit=fit), estimator=None, parameters={"rate": 1})
    assert called == [{"rate": 1, "max_depth": depth} for depth in (*DEPTHS, 1)]
    assert run.data.metrics["failed_trials"] == 1
    failed = trials_of(run)["flowers-1-2"]
    assert failed.info.status == "FAILED"
    assert failed.data.tags[study.FAILURE] == "fit failed: ValueError: two is no depth"


def test_a_tuning_without_a_finished_trial_fails_in_the_words_of_the_first() -> None:
    def fit(*_: Any) -> Any:
        raise ValueError("nothing will do")

    with pytest.raises(RunError, match=r"none of 3 trials has finished.*trial 1: fit failed: ValueError: nothing"):
        tuned(Program(fit=fit), estimator=None)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"max_deph": {"integer": [1, 8]}}, "did you mean 'max_depth'"),
        ({"max_features": {"choice": [0.5, 1]}}, "parameters.max_features is 1"),
        ({"min_samples_leaf": {"choice": [1, 2, -3]}}, "'min_samples_leaf': -3"),
    ],
)
def test_a_space_that_no_trial_could_be_of_is_refused_before_data_are_read(
    space: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "read", lambda *_: pytest.fail("read"))
    with pytest.raises(RunError) as refused:
        tuned(space=space)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("metric", "ended", "best"),
    [
        ("accuracy", [(0.9, ALL), (0.95, ALL), (0.95, ALL)], 2),
        ("log_loss", [(0.9, ALL), (0.3, ALL), (0.5, ALL)], 2),
        ("accuracy", [(0.99, 3), (0.8, ALL)], 2),
        ("accuracy", [(float("nan"), ALL), (0.1, ALL)], 2),
        ("accuracy", [(None, ALL), (0.0, ALL)], 2),
        ("accuracy", [(None, ALL), (0.9, 1)], None),
    ],
)
def test_of_trials_that_came_to_their_end_the_first_of_the_best_is_chosen(
    metric: str, ended: list[tuple[float | None, int]], best: int | None
) -> None:
    trials = [Trial(parameters={}, score=score, step=step) for score, step in ended]
    found = Study(spec=spec(metric=metric), experiment_id="1", run_id="r", trials=trials).best()
    assert (found[0] if found else None) == best


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_booster_is_asked_after_parts_of_its_rounds_and_ends_as_one_that_was_not(name: str) -> None:
    described = spec(
        estimator=name, scheduler="asha", space={"max_depth": {"integer": [1, 8]}}, parameters={"n_jobs": 1}
    )
    table = learned.read()
    features, target = table.training.drop(columns=["species"]), table.training["species"]
    recipe = Recipe(name, described.data.task, {"n_estimators": 18, "n_jobs": 1}, 0)
    with threadpool_limits(1):
        steps = list(rounds.fit(recipe, table.schema.without("species"), features, target))
        whole = recipe.fit(table.schema.without("species"), features, target)
        assert [step for step, _ in steps] == [1, 3, 9]
        probabilities = [model.predict_proba(features)[:, 0] for _, model in steps]
        assert abs(probabilities[-1] - whole.predict_proba(features)[:, 0]).max() < 0.01
        assert abs(probabilities[0] - probabilities[-1]).max() > 0.05
        trials = Trials(spec=described, fit=Program().of(described, table.schema, {"max_depth": 2}))
        scored = list(trials.run(trial.split(described, table), {"max_depth": 2, "n_estimators": 9}))
    assert [step for step, _ in scored] == [1, 3, 9]
    assert scored[-1][1] > 0.9
