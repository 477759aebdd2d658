"""The contracts of a training and of a tuning: what is accepted, what each mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_runtime import learning_spec, search, spec, train, tune_spec
from ml_runtime.data_spec import Task
from ml_runtime.errors import SpecError
from ml_runtime.learning_spec import TrainSpec
from ml_runtime.tune_spec import Scheduler, Searcher, TuneSpec

TRAINING: dict[str, Any] = {
    "run": "iris-1",
    "data": {"uri": "sklearn:iris", "target": "species"},
    "estimator": "logistic-regression",
    "experiment": "iris",
}
TUNING: dict[str, Any] = {
    **TRAINING,
    "estimator": "xgboost",
    "metric": "accuracy",
    "space": {"eta": {"uniform": [0, 1]}},
}


def test_what_is_left_out_of_a_training_has_the_documented_default() -> None:
    run = learning_spec.parse(TRAINING)
    assert (run.parameters, run.seed, run.folds, run.code_version) == ({}, 0, None, "")
    assert (run.patience, run.verdict) == (120.0, None)
    assert (run.target, run.data.task) == ("species", Task.CLASSIFICATION)


def test_what_is_left_out_of_a_tuning_has_the_documented_default() -> None:
    run = tune_spec.parse(TUNING)
    assert (run.trials, run.validation, run.at_once, run.threads, run.parameters) == (20, 0.2, 2, 1, {})
    assert (run.searcher, run.scheduler) == (Searcher.RANDOM, Scheduler.NONE)


def test_what_is_said_is_taken() -> None:
    place = {"namespace": "models", "configmap": "iris-1"}
    said = {"verdict": place, "seed": 3, "patience": 5, "folds": 5, "parameters": {"C": 2}, "code_version": "abc"}
    run = learning_spec.parse({**TRAINING, **said})
    assert (run.seed, run.patience, run.folds, run.parameters, run.code_version) == (3, 5, 5, {"C": 2}, "abc")
    assert run.verdict is not None
    assert run.verdict.configmap == "iris-1"


def test_a_script_needs_no_estimator() -> None:
    assert learning_spec.parse({key: value for key, value in TRAINING.items() if key != "estimator"}).estimator is None


@pytest.mark.parametrize(("raw", "kind"), [(TRAINING, TrainSpec), (TUNING, TuneSpec)])
def test_a_description_with_a_space_is_a_tuning(raw: dict[str, Any], kind: type) -> None:
    assert isinstance(train.parse(raw), kind)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tarrget": "x"}, ["unknown key tarrget", "experiment"]),
        ({"data": {"uri": "sklearn:iris"}}, ["data.target is missing"]),
        ({"data": {"uri": "sklearn:iris", "target": "species", "task": "clustering"}}, ["data.task", "'clustering'"]),
        ({"seed": 1.5}, ["seed", "whole number"]),
        ({"seed": -1}, ["seed", "from 0"]),
        ({"folds": 1}, ["folds", "2 or more"]),
        ({"folds": True}, ["folds", "True"]),
        ({"run": ""}, ["run", "text"]),
        ({"estimator": ""}, ["estimator", "text"]),
        ({"parameters": {"seed": 7}}, ["parameters.seed", "the run's own `seed`"]),
        ({"parameters": {"random_state": 7}}, ["parameters.random_state", "the run's own `seed`"]),
        ({"patience": 0}, ["patience", "above 0"]),
        ({"verdict": {"namespace": "models"}}, ["verdict.configmap is missing"]),
    ],
)
def test_a_mistake_in_a_training_names_the_key_the_value_and_the_rule(
    changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(SpecError) as error:
        learning_spec.parse({**TRAINING, **changes})
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": {}}, ["space", "a domain for each parameter"]),
        ({"space": {"eta": [0, 1]}}, ["space.eta", "[0, 1]", "uniform"]),
        ({"space": {"eta": {"normal": [0, 1]}}}, ["space.eta", "normal"]),
        ({"space": {"eta": {"uniform": [1, 0]}}}, ["space.eta", "in order"]),
        ({"space": {"eta": {"log_uniform": [0, 1]}}}, ["space.eta", "above 0"]),
        ({"space": {"depth": {"integer": [0.5, 2]}}}, ["space.depth"]),
        ({"space": {"depth": {"choice": []}}}, ["space.depth", "choice with a list"]),
        ({"space": {"seed": {"integer": [0, 9]}}}, ["space.seed", "the run's own `seed`"]),
        ({"parameters": {"eta": 1}}, ["parameters.eta", "keep one of them"]),
        ({"metric": "rmse"}, ["metric", "'rmse'", "accuracy"]),
        ({"trials": 0}, ["trials", "a whole number from 1"]),
        ({"validation": 0.6}, ["validation", "at most a half"]),
        ({"searcher": "grid"}, ["searcher", "'grid'", "optuna"]),
        ({"scheduler": "asha", "estimator": "svm"}, ["scheduler", "xgboost, lightgbm", "svm can't"]),
        ({"scheduler": "asha", "estimator": None}, ["scheduler", "a script can't"]),
        ({"trails": 5}, ["unknown key trails", "trials"]),
        ({"folds": 5}, ["unknown key folds"]),
    ],
)
def test_a_mistake_in_a_tuning_names_the_key_and_the_rule(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SpecError) as error:
        tune_spec.parse({**TUNING, **changes})
    for word in words:
        assert word in str(error.value)


def test_every_choice_of_a_space_is_among_the_examples_that_are_checked() -> None:
    space = {"depth": {"integer": [1, 8]}, "eta": {"uniform": [0.5, 1]}, "kind": {"choice": ["a", "b", "c"]}}
    assert search.examples(space) == [{"depth": 8, "eta": 0.75, "kind": kind} for kind in "abc"]


def test_a_file_that_is_not_there_or_not_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        spec.read(tmp_path / "run.json")
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(SpecError, match="is not JSON"):
        spec.read(tmp_path / "run.json")
