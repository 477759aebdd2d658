"""The wine use case laid over the running platform: settings and a training program, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ml_local import environment, paths
from ml_local.node.layout import layout
from mlflow import MlflowClient
from support import machine

WINE = paths.checkout() / "workloads" / "examples" / "wine"


@pytest.fixture(scope="module")
def outputs(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Those of the stack with both use cases; afterwards it is as it was."""
    blocks = yaml.safe_load((WINE / "workloads.yaml").read_text())
    done = machine.up(machine.settings("workloads", blocks, tmp_path_factory.mktemp("wine")))
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    done = machine.up()
    assert done.returncode == 0, done.stdout


def test_its_model_passes_its_gate_and_is_champion(outputs: dict[str, Any]) -> None:
    client = MlflowClient(environment.variables(layout())["MLFLOW_TRACKING_URI"])
    champion = client.get_model_version_by_alias("wine", "champion")
    assert champion.version == outputs["model_versions"]["wine"]
    run = client.get_run(champion.run_id)
    assert run.data.metrics["held_out_rmse"] <= 0.7
    assert run.data.params["alpha"] == "0.05"


def test_its_model_says_how_much_alcohol_a_wine_has(outputs: dict[str, Any]) -> None:
    done = machine.make("predict", f"FILE={WINE / 'wine.json'}")
    assert done.returncode == 0, done.stdout
    found = re.search(r"-> ([0-9.]+) ", done.stdout)
    assert found, done.stdout
    assert 12.5 < float(found[1]) < 15  # it has 14.23


def test_each_of_two_served_models_is_found_by_its_columns_or_by_name(outputs: dict[str, Any]) -> None:
    by_columns = machine.make("predict")
    assert by_columns.returncode == 0, by_columns.stdout
    assert "POST http://iris.models.localhost:8080/" in by_columns.stdout
    wrong = machine.make("predict", "ARGS=ash=1", "MODEL=wine")
    assert wrong.returncode != 0
    assert "don't fit model wine: missing: malic_acid" in wrong.stdout


def test_the_first_use_case_is_as_it_was(platform: dict[str, Any], outputs: dict[str, Any]) -> None:
    for output in ("model_versions", "prediction_urls"):
        assert outputs[output]["iris"] == platform[output]["iris"]
        assert set(outputs[output]) == {"iris", "wine"}
