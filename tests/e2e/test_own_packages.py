"""A model with packages of its own: Debian's PyTorch learns pictures, and is in the images that judge and serve."""

from __future__ import annotations

import base64
import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import environment, paths
from ml_local.node.layout import layout
from ml_local.predict import of_outputs
from ml_runtime import tracking
from support import machine, versions

pytestmark = pytest.mark.long  # Debian's PyTorch is a gigabyte: two layers of it take minutes to build

EXAMPLES = paths.checkout() / "workloads" / "examples"
ASKED = range(1000, 1100)
"""The numbers of pictures that are not among the data."""


@pytest.fixture(scope="module")
def config(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings of the checkout with the example."""
    blocks = yaml.safe_load((EXAMPLES / "digits" / "workloads.yaml").read_text())
    return machine.settings("workloads", blocks, tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def outputs(config: Path) -> Iterator[dict[str, Any]]:
    """Those of the stack with the example; afterwards it is as it was."""
    env = {**os.environ, **environment.variables(layout())}
    made = machine.run([sys.executable, "-m", "digits.data"], 300, env, EXAMPLES)
    assert made.returncode == 0, made.stdout
    done = machine.make("up", f"CONFIG={config}", timeout=3600)
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    done = machine.up()
    assert done.returncode == 0, done.stdout


def test_the_network_passes_its_gate_and_is_champion(outputs: dict[str, Any]) -> None:
    champion = versions.champion("digits")
    assert champion.version == outputs["model_versions"]["digits"]
    run = versions.tracking().get_run(str(champion.run_id))
    assert run.data.metrics["test_accuracy"] >= 0.9
    assert run.data.tags[tracking.RUN_KEY].startswith("digits-")


def test_run_gate_and_server_are_in_images_with_the_packages(outputs: dict[str, Any]) -> None:
    layers = {name: found for name in machine.images() if (found := re.fullmatch(r"([a-z]+)-[0-9a-f]{12}", name))}
    made = {found[1]: machine.images()[name] for name, found in layers.items()}
    assert {"training", "mlserver"} <= set(made)
    for block, base in (("digits", "training"), ("digits-gate", "mlserver")):
        (job,) = machine.client().list("batch/v1", "Job", "models", labels=f"app={block}")
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["image"] == made[base]
    pods = machine.client().list("v1", "Pod", "models", labels="serving.kserve.io/inferenceservice=digits")
    images = {each["name"]: each["image"] for pod in pods for each in pod["spec"]["containers"]}
    assert images["kserve-container"] == made["mlserver"]


def test_most_pictures_that_nobody_has_learned_from_are_recognised(
    outputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    pictures = importlib.import_module("digits.data").pictures(ASKED.start, ASKED.stop)
    (model,) = (each for each in of_outputs(outputs) if each.name == "digits")
    answer = model.ask({"content": [base64.b64encode(picture).decode() for picture in pictures.values()]})
    truth = [key.split("/")[-2] for key in pictures]
    assert sum(said == digit for said, digit in zip(answer.predictions, truth, strict=True)) >= 90


def test_what_is_built_already_is_not_built_again(config: Path, outputs: dict[str, Any]) -> None:
    done = machine.make("up", f"CONFIG={config}")
    assert done.returncode == 0, done.stdout
    assert machine.outputs()["model_versions"] == outputs["model_versions"]
