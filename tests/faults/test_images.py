"""Runs by an image of one's own: one that learns, and what is said of those that can't."""

from __future__ import annotations

import pytest
from support import machine, versions
from support.probe import Probe, tries

PROGRAM = """
import json
import os

import mlflow.sklearn
import pandas
from sklearn.linear_model import LogisticRegression

with open(os.environ["ML_RUN"]) as file:
    run = json.load(file)
rows = pandas.read_parquet(os.environ["ML_TRAINING_ROWS"])
assert not os.path.exists("/ml/kept") and not os.path.exists("/var/run/secrets/kubernetes.io")
model = LogisticRegression(random_state=run["seed"], **run["parameters"])
model.fit(rows[run["features"]], rows[run["target"]])
mlflow.sklearn.save_model(model, os.environ["ML_MODEL"], serialization_format="skops")
"""


def image() -> str:
    """One that the node has, and that can read parquet, as a user's own may be."""
    return machine.images()["training"]


def test_the_model_of_an_image_is_judged_and_served_as_any_other(probe: Probe) -> None:
    model = f"image-{probe.model}"
    done = probe.up(model=model, image=image(), command=["python", "-c", PROGRAM])
    assert done.returncode == 0, done.stdout
    found = versions.tracking().get_run(str(versions.champion(model).run_id))
    assert found.data.params["image"] == image()
    assert found.data.metrics["test_accuracy"] >= 0.9
    again = probe.up(model=model, image=image(), command=["python", "-c", PROGRAM])
    assert "replaced" not in again.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["python", "-c", "import sys; sys.exit('there is no column petal_size')"],
            ["its container train ended with code 1", "there is no column petal_size"],
        ),
        (["python", "-c", "pass"], ["the program of the image has saved no model"]),
        (["Rscript", "/app/train.R"], ["its pod can't start", "Rscript"]),
    ],
    ids=["it fails", "it leaves nothing", "it is not there"],
)
def test_a_program_that_leaves_no_model_ends_its_run_at_once_and_is_said(
    command: list[str], words: list[str], probe: Probe
) -> None:
    done = probe.up(retries=2, image=image(), command=command)
    assert done.returncode != 0
    for word in words:
        assert word in done.stdout
    assert tries() == 1
    assert machine.make("predict").returncode == 0
