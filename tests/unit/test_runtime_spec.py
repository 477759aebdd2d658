"""The contract of a training run: what is accepted, what each mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ml_runtime import spec
from ml_runtime.errors import SpecError
from ml_runtime.spec import AgainstChampion


def described(**changes: Any) -> dict[str, Any]:
    return {
        "run": "iris-1",
        "dataset": {"bucket": "datasets", "key": "iris.csv"},
        "columns": ["length", "width", "species"],
        "target": "species",
        "estimator": "logistic-regression",
        "model": "iris",
        **changes,
    }


def test_what_is_left_out_has_the_documented_default() -> None:
    run = spec.parse(described())
    assert (run.experiment, run.parameters, run.held_out, run.seed, run.patience) == ("iris", {}, 0.2, 0, 120.0)
    assert spec.GateRules(minimum_accuracy=0.0, champion=AgainstChampion.BETTER) == run.gate
    assert run.verdict is None


def test_the_example_of_the_documentation_is_valid() -> None:
    gate = {"minimum_accuracy": 0.95, "champion": "not-worse", "allow_signature_change": True}
    place = {"namespace": "models", "configmap": "iris-1"}
    run = spec.parse(described(gate=gate, verdict=place, seed=3, held_out=0.5, code_version="sha256:1", patience=5))
    assert AgainstChampion.NOT_WORSE is run.gate.champion
    assert (run.verdict.configmap if run.verdict else "") == "iris-1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tarrget": "x"}, ["unknown key tarrget", "target"]),
        ({"gate": {"minimum": 1}}, ["unknown key gate.minimum", "minimum_accuracy"]),
        ({"gate": {"champion": "best"}}, ["gate.champion", "'best'", "not-worse"]),
        ({"gate": {"minimum_accuracy": 95}}, ["gate.minimum_accuracy", "95", "between 0 and 1"]),
        ({"target": "colour"}, ["target", "'colour'", "species"]),
        ({"columns": ["a", "a"]}, ["columns", "distinct"]),
        ({"held_out": 1}, ["held_out", "between 0 and 1"]),
        ({"held_out": True}, ["held_out", "True"]),
        ({"seed": 1.5}, ["seed", "whole number"]),
        ({"run": ""}, ["run", "text"]),
        ({"dataset": {"bucket": "b"}}, ["dataset.key is missing"]),
        ({"dataset": "s3://b/k"}, ["dataset must be an object, not str"]),
    ],
)
def test_a_mistake_names_the_key_the_value_and_the_rule(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SpecError) as error:
        spec.parse(described(**changes))
    for word in words:
        assert word in str(error.value)


def test_a_file_that_is_not_there_or_not_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        spec.load(tmp_path / "run.json")
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(SpecError, match="is not JSON"):
        spec.load(tmp_path / "run.json")


def test_a_verdict_is_json_with_every_field() -> None:
    verdict = spec.Verdict(
        run="iris-1",
        accepted=False,
        rule="champion",
        reason="not better",
        numbers={"accuracy": 0.9},
        run_id="r",
        version=None,
        champion="3",
        dataset_sha256="d",
        held_out_sha256="h",
    )
    assert {"accepted": False, "champion": "3", "version": None}.items() <= json.loads(verdict.to_json()).items()
