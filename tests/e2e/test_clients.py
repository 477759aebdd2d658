"""The ways to ask a served model that README and the notebook show, as a reader would use them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import machine, notebook, readme
from support.flowers import FLOWERS

pytestmark = pytest.mark.usefixtures("platform")


def test_the_client_of_the_readme_gets_an_answer() -> None:
    client = next(each for each in readme.fenced("python") if "urllib3" in each)
    done = subprocess.run(
        [sys.executable, "-c", client], capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""}
    )
    assert done.stdout == "['virginica']\n", done.stderr


@pytest.mark.parametrize("species", FLOWERS)
def test_predict_takes_a_flower_by_arguments(species: str) -> None:
    words = " ".join(f"{name}={value}" for name, value in FLOWERS[species].items())
    done = machine.make("predict", f"ARGS={words}")
    assert done.returncode == 0, done.stdout
    assert f"-> {species.removeprefix('Iris-')} " in done.stdout


def test_predict_takes_many_flowers_from_a_table_with_a_header(tmp_path: Path) -> None:
    names = list(FLOWERS["Iris-setosa"])
    rows = [names, *([str(flower[name]) for name in names] for flower in FLOWERS.values())]
    file = tmp_path / "flowers.csv"
    file.write_text("\n".join(map(",".join, rows)))
    done = machine.make("predict", f"FILE={file}", "MODEL=iris")
    assert done.returncode == 0, done.stdout
    assert "-> setosa, versicolor, virginica " in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("sepal_length=6.3 petals=5", "missing: sepal_width, petal_length, petal_width; unknown: petals"),
        ("sepal_length=long sepal_width=1 petal_length=1 petal_width=1", "'sepal_length' takes numbers"),
    ],
)
def test_predict_names_what_does_not_fit_the_model(words: str, says: str) -> None:
    done = machine.make("predict", f"ARGS={words}")
    assert done.returncode != 0
    assert says in done.stdout


def test_the_notebook_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = notebook.run(monkeypatch, tmp_path)
    version = machine.outputs()["model_versions"]["iris"]
    assert f"| {version} | iris-" in shown["version"]
    assert "test_accuracy" in shown["table"]
    assert "| accuracy | " in shown["scores"]
    assert "| True | accepted | accuracy " in shown["judgement"]
    assert "ml-platform.data.sha256" in shown["origin"]
    assert shown["answer"] == "['setosa', 'versicolor', 'virginica']"
    assert f"| {version} | 100.0 |" in shown["count"]
