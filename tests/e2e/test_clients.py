"""The ways to ask a served model that README and the notebook show, as a reader would use them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from ml_local import environment, paths
from ml_local.node.layout import layout
from nbclient import NotebookClient
from support import machine, readme, versions
from support.flowers import FLOWERS

pytestmark = pytest.mark.usefixtures("platform")

NOTEBOOK = paths.checkout() / "workloads" / "notebooks" / "iris.ipynb"


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
    shown = run_notebook(monkeypatch, tmp_path)
    version = machine.outputs()["model_versions"]["iris"]
    assert f"| {version} | iris-" in shown["version"]
    assert "held_out_accuracy" in shown["table"]
    assert "ml-platform.dataset.sha256" in shown["origin"]
    assert shown["answer"] == "['setosa', 'versicolor', 'virginica']"
    assert f"| {version} | 100.0 |" in shown["count"]


def test_a_canary_can_be_asked_alone_and_the_notebook_shows_its_share(
    canary: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert f"iris {canary}: " in machine.make("predict", "CANARY=1").stdout
    share = re.search(rf"^\| {canary} \| ([0-9.]+) \|$", run_notebook(monkeypatch, tmp_path)["count"], re.MULTILINE)
    assert share
    assert float(share[1]) == pytest.approx(20, abs=2)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[str]:
    """A version that a fifth of the requests go to; afterwards the settings of the checkout are applied again."""
    other = versions.another()
    served = {"iris": {"canary": {"version": other, "percent": 20}}}
    done = machine.up(machine.settings("workloads", {"serving": served}, tmp_path))
    assert done.returncode == 0, done.stdout
    yield str(other)
    done = machine.up()
    assert done.returncode == 0, done.stdout


def run_notebook(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, str]:
    """The last thing that each cell shows, by the cell's id."""
    places = {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    for name, value in {**environment.variables(layout()), **places}.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    shown = {cell.id: cell.outputs[-1]["data"] for cell in notebook.cells if cell.get("outputs")}
    return {cell: data.get("text/markdown", data["text/plain"]) for cell, data in shown.items()}
