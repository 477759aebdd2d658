"""How a model is asked in the serving image, by a server's runtime that is made up: what it gets, what of it counts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ml_runtime import serving
from ml_runtime.data import Table
from ml_runtime.serving import ServingError

ROWS = Table(("length", "width", "species"), [["1", "2", "a"], ["3", "4", "b"]])
Answer = Callable[[Any], Any]


def serve(monkeypatch: pytest.MonkeyPatch, columns: list[str], answer: Answer) -> None:
    """A runtime whose model takes `columns` and answers a request with `answer`."""

    class Runtime:
        def __init__(self, settings: Any) -> None:
            self.uri = settings.parameters.uri
            self.inputs: list[Any] = []

        async def load(self) -> bool:
            assert self.uri == "/model"
            self.inputs = [SimpleNamespace(name=name, datatype="FP64") for name in columns]
            return True

        async def predict(self, request: Any) -> Any:
            return SimpleNamespace(outputs=[SimpleNamespace(data=each) for each in answer(request)])

    contents = {
        "mlserver": {},
        "mlserver.settings": {"ModelSettings": SimpleNamespace, "ModelParameters": SimpleNamespace},
        "mlserver.types": {"InferenceRequest": SimpleNamespace},
        "mlserver_mlflow": {"MLflowRuntime": Runtime},
    }
    for name, members in contents.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)


def ask() -> list[Any]:
    return serving.answers(Path("/model"), "iris", ROWS, but="species")


def test_the_model_is_asked_about_all_rows_by_the_names_of_its_own_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Any] = []
    serve(monkeypatch, ["width"], lambda request: requests.append(request) or [["a", "b"]])
    assert ask() == ["a", "b"]
    assert requests[0].inputs == [{"name": "width", "shape": [2, 1], "datatype": "FP64", "data": [2.0, 4.0]}]


def test_texts_may_come_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, ["width"], lambda _: [[b"a", "b"]])
    assert ask() == ["a", "b"]


def fail(_request: Any) -> Any:
    raise ModuleNotFoundError("No module named 'mine'")


@pytest.mark.parametrize(
    ("columns", "answer", "words"),
    [
        (["width"], fail, "ModuleNotFoundError: No module named 'mine'"),
        (["width", "colour"], lambda _: [["a", "b"]], r"takes the columns \['colour'\]"),
        (["species"], lambda _: [["a", "b"]], r"takes the columns \['species'\]"),
        (["width"], lambda _: [["a", "b"], ["c", "d"]], "answers 2 columns"),
        (["width"], lambda _: [["a", "b", "a", "b"]], "4 answers to 2 rows"),
    ],
    ids=["it breaks", "other columns", "it wants the target", "two outputs", "two answers a row"],
)
def test_what_a_server_could_not_use_is_said_with_the_reason(
    columns: list[str], answer: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, columns, answer)
    with pytest.raises(ServingError, match=words):
        ask()
