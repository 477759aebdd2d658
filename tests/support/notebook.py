"""The notebook of this repository, run from top to bottom as after `eval "$(make env)"`."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from ml_local import environment, paths
from ml_local.node.layout import layout
from nbclient import NotebookClient

NOTEBOOK = paths.checkout() / "workloads" / "notebooks" / "iris.ipynb"


def run(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, str]:
    """The last thing that each cell shows, by the cell's id."""
    places = {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    for name, value in {**environment.variables(layout()), **places}.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    shown = {cell.id: cell.outputs[-1]["data"] for cell in notebook.cells if cell.get("outputs")}
    return {cell: data.get("text/markdown", data["text/plain"]) for cell, data in shown.items()}
