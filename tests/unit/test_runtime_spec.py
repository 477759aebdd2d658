"""The contracts of a training and of its gate: what is accepted, what each mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ml_runtime import gate_spec, learning_spec, spec
from ml_runtime.errors import SpecError
from ml_runtime.gate_spec import AgainstChampion, GateRules
from ml_runtime.metrics import Task

TRAINING: dict[str, Any] = {
    "run": "iris-1",
    "dataset": {"bucket": "datasets", "key": "iris.csv"},
    "columns": ["length", "width", "species"],
    "target": "species",
    "estimator": "logistic-regression",
    "experiment": "iris",
}
GATE: dict[str, Any] = {
    "run": "iris-gate-1",
    "candidate": "0f3c",
    "columns": ["length", "width", "species"],
    "target": "species",
    "gate": {"metric": "accuracy"},
    "model": "iris",
}


def test_what_is_left_out_of_a_training_has_the_documented_default() -> None:
    run = learning_spec.parse(TRAINING)
    assert (run.parameters, run.held_out, run.seed, run.patience, run.verdict) == ({}, 0.2, 0, 120.0, None)
    assert (run.features, run.task) == (("length", "width"), Task.CLASSIFICATION)


def test_what_is_left_out_of_a_gate_has_the_documented_default() -> None:
    gate = gate_spec.parse(GATE)
    assert GateRules(metric="accuracy", threshold=None, champion=AgainstChampion.BETTER) == gate.gate
    assert (gate.image, gate.patience, gate.verdict) == ("", 120.0, None)


def test_what_is_said_is_taken() -> None:
    place = {"namespace": "models", "configmap": "iris-1"}
    said = {"features": ["width"], "task": "regression", "verdict": place, "seed": 3, "held_out": 0.5, "patience": 5}
    run = learning_spec.parse({**TRAINING, **said})
    assert (run.features, run.task, run.verdict.configmap if run.verdict else "") == (
        ("width",), Task.REGRESSION, "iris-1",
    )  # fmt: skip
    rules = {"metric": "rmse", "threshold": 0.5, "champion": "not-worse", "allow_signature_change": True}
    assert gate_spec.parse({**GATE, "gate": rules}).gate == GateRules(
        metric="rmse", threshold=0.5, champion=AgainstChampion.NOT_WORSE, allow_signature_change=True
    )


def test_a_program_of_ones_own_needs_no_estimator() -> None:
    assert learning_spec.parse({key: value for key, value in TRAINING.items() if key != "estimator"}).estimator is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tarrget": "x"}, ["unknown key tarrget", "target"]),
        ({"target": "colour"}, ["target", "'colour'", "species"]),
        ({"columns": ["a", "a"]}, ["columns", "distinct"]),
        ({"features": ["length", "species"]}, ["features", "species", "['length', 'width']"]),
        ({"features": []}, ["features", "[]", "some of"]),
        ({"task": "clustering"}, ["task", "'clustering'", "regression"]),
        ({"held_out": 1}, ["held_out", "between 0 and 1"]),
        ({"held_out": True}, ["held_out", "True"]),
        ({"seed": 1.5}, ["seed", "whole number"]),
        ({"run": ""}, ["run", "text"]),
        ({"estimator": ""}, ["estimator", "text"]),
        ({"dataset": {"bucket": "b"}}, ["dataset.key is missing"]),
        ({"dataset": "s3://b/k"}, ["dataset must be an object, not str"]),
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
        ({"gate": {"minimum": 1}}, ["unknown key gate.minimum", "threshold"]),
        ({"gate": {}}, ["gate.metric is missing"]),
        ({"gate": {"metric": "f1"}}, ["gate.metric", "'f1'", "accuracy"]),
        ({"gate": {"metric": "accuracy", "champion": "best"}}, ["gate.champion", "'best'", "not-worse"]),
        ({"gate": {"metric": "accuracy", "threshold": "high"}}, ["gate.threshold", "'high'", "a number"]),
        ({"candidate": None}, ["candidate", "None", "a text"]),
        ({"patience": 0}, ["patience", "above 0"]),
    ],
)
def test_a_mistake_in_a_gate_names_the_key_the_value_and_the_rule(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SpecError) as error:
        gate_spec.parse({**GATE, **changes})
    for word in words:
        assert word in str(error.value)


def test_a_file_that_is_not_there_or_not_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        spec.read(tmp_path / "run.json")
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(SpecError, match="is not JSON"):
        spec.read(tmp_path / "run.json")


def test_a_verdict_is_json_with_every_field() -> None:
    verdict = gate_spec.GateVerdict(
        run="iris-gate-1",
        accepted=False,
        rule="champion",
        reason="not better",
        numbers={"accuracy": 0.9},
        candidate="0f3c",
        version=None,
        champion="3",
        dataset_sha256="d",
        held_out_sha256="h",
        image="registry/mlserver",
    )
    assert {"accepted": False, "champion": "3", "version": None}.items() <= json.loads(verdict.to_json()).items()
