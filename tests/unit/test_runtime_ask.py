"""How a model is asked as its server will: models of MLflow in a folder, and what of their answers counts.

What may be loaded at all is told by a model's own file, before its code runs.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import mlflow.sklearn
import numpy
import pandas
import pytest
from ml_runtime import apart, ask, flavours
from ml_runtime.answers import Answers
from ml_runtime.apart import FaultError, MachineError
from ml_runtime.data_spec import Task
from ml_runtime.gate_spec import FLAVOURS
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

ROWS = pandas.DataFrame({"length": [1.0, 2.0, 3.0, 4.0], "width": [4.0, 3.0, 2.0, 1.0], "site": ["x", "y", None, "x"]})
CLASSES = ("07", "7", "no")
CLASSIFICATION, REGRESSION = Task.CLASSIFICATION, Task.REGRESSION


def signature(**columns: str) -> ModelSignature:
    return ModelSignature(inputs=Schema([ColSpec(kind, name) for name, kind in columns.items()]))


NUMBERS = signature(length="double", width="double")


def fitted(folder: Path, estimator: Any, target: Any, **options: Any) -> Path:
    estimator.fit(ROWS[["length", "width"]], target)
    saved = {"serialization_format": "skops", "pip_requirements": ["scikit-learn"], **options}
    mlflow.sklearn.save_model(estimator, folder, signature=NUMBERS, **saved)
    return folder


class Given(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Answers by a function."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return self.answer(model_input)


def model(folder: Path, answer: Callable[[Any], Any], taken: ModelSignature | None = NUMBERS) -> Path:
    mlflow.pyfunc.save_model(folder, python_model=Given(answer), signature=taken, pip_requirements=["mlflow"])
    return folder


def asked(folder: Path, task: Task = CLASSIFICATION, classes: tuple[str, ...] = CLASSES) -> Answers:
    return ask.answers(folder, ROWS, task, classes)


def test_a_classifier_answers_classes_as_they_are_written_with_their_probabilities(tmp_path: Path) -> None:
    found = asked(fitted(tmp_path / "m", LogisticRegression(), ["07", "07", "7", "no"]))
    assert set(found.labels) <= set(CLASSES)
    assert found.classes == CLASSES
    assert found.probabilities is not None
    assert found.probabilities.sum(axis=1) == pytest.approx(1)
    assert [CLASSES[place] for place in found.probabilities.argmax(axis=1)] == found.labels.tolist()


def test_a_model_that_can_not_tell_has_no_probabilities(tmp_path: Path) -> None:
    found = asked(fitted(tmp_path / "m", RidgeClassifier(), ["07", "07", "7", "7"]))
    assert (found.probabilities, found.classes) == (None, None)


def test_a_regression_answers_numbers(tmp_path: Path) -> None:
    found = asked(fitted(tmp_path / "m", LinearRegression(), [1.0, 2.0, 3.0, 4.0]), REGRESSION)
    assert found.labels.tolist() == pytest.approx([1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        (lambda rows: ["no"] * len(rows), ["no"] * 4),
        (lambda rows: numpy.full(len(rows), 7), ["7"] * 4),
        (lambda rows: numpy.full((len(rows), 1), 7.0), ["7"] * 4),
        (lambda rows: pandas.DataFrame({"answer": ["07"] * len(rows)}), ["07"] * 4),
        (lambda rows: pandas.Series([True] * len(rows)), ["true"] * 4),
        (lambda rows: pandas.DataFrame({"no": [0.9] * len(rows), "7": [0.1] * len(rows)}), ["no"] * 4),
        (lambda rows: numpy.tile([0.1, 0.7, 0.2], (len(rows), 1)), ["7"] * 4),
    ],
    ids=["texts", "numbers", "one column", "a table", "a series", "probabilities by class", "by the order of classes"],
)  # fmt: skip
def test_whatever_type_an_answer_has_it_means_a_class(answer: Any, labels: list[str], tmp_path: Path) -> None:
    assert asked(model(tmp_path / "m", answer)).labels.tolist() == labels


def test_columns_of_scores_that_are_no_probabilities_are_classes_alone(tmp_path: Path) -> None:
    found = asked(model(tmp_path / "m", lambda rows: numpy.tile([-1.0, 3.0, 2.0], (len(rows), 1))))
    assert (found.labels.tolist(), found.probabilities) == (["7"] * 4, None)


def test_a_model_gets_the_columns_of_its_signature_and_missing_values(tmp_path: Path) -> None:
    taken = ModelSignature(inputs=Schema([ColSpec("string", "site", required=False), ColSpec("double", "length")]))
    folder = model(tmp_path / "m", lambda rows: [f"{[*rows.columns]} {rows.site.isna().sum()}"] * len(rows), taken)
    assert asked(folder).labels[0] == "['site', 'length'] 1"


def fail(_rows: Any) -> Any:
    raise ModuleNotFoundError("No module named 'mine'")


def end(_rows: Any) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    ("answer", "taken", "task", "words"),
    [
        (fail, NUMBERS, CLASSIFICATION, "ModuleNotFoundError: No module named 'mine'"),
        (end, NUMBERS, CLASSIFICATION, "ended its process by the signal SIGSEGV"),
        (lambda _: ["a"] * 4, signature(colour="double"), CLASSIFICATION, r"takes the columns \['colour'\], which"),
        (lambda _: ["a"] * 4, None, CLASSIFICATION, "it has no signature; log it with one"),
        (lambda _: ["a"] * 3, NUMBERS, CLASSIFICATION, "gives 3 answers to 4 rows"),
        (lambda _: pandas.DataFrame({"a": [1] * 4, "b": [1] * 4}), NUMBERS, CLASSIFICATION, "answers 2 columns, .*"),
        (lambda _: pandas.DataFrame({"a": [1] * 4, "b": [1] * 4}), NUMBERS, REGRESSION, "answers 2 columns"),
        (lambda _: ["cheap"] * 4, NUMBERS, REGRESSION, "answers what is no number: 'cheap'"),
    ],
    ids=["it breaks", "it crashes", "other columns", "no signature", "too few", "other classes", "a table", "texts"],
)  # fmt: skip
def test_what_is_the_models_fault_is_said_with_the_reason(
    answer: Any, taken: Any, task: Task, words: str, tmp_path: Path
) -> None:
    with pytest.raises(FaultError, match=words):
        asked(model(tmp_path / "m", answer, taken), task)


def full(_rows: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def wrapped(_rows: Any) -> Any:
    try:
        raise MemoryError("cannot allocate 8 GiB")
    except MemoryError as short:
        raise RuntimeError("the model could not be asked") from short


def away(_rows: Any) -> Any:
    raise ConnectionRefusedError("nobody is there")


def killed(_rows: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("answer", [full, wrapped, away, killed])
def test_what_is_the_machines_is_no_word_about_the_model(answer: Any, tmp_path: Path) -> None:
    with pytest.raises(MachineError):
        asked(model(tmp_path / "m", answer))


def test_a_library_that_is_not_there_is_the_models_fault(tmp_path: Path) -> None:
    def load(_rows: Any) -> Any:
        raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")

    with pytest.raises(FaultError, match=r"libgomp\.so\.1"):
        asked(model(tmp_path / "m", load))


def test_models_that_bring_modules_of_one_name_get_their_own(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shared.py").write_text(f"NAME = {name!r}\n")
        (tmp_path / name / "code.py").write_text(
            "import mlflow\nimport shared\n"
            "class M(mlflow.pyfunc.PythonModel):\n"
            "    def predict(self, context, model_input, params=None): return [shared.NAME] * len(model_input)\n"
            "mlflow.models.set_model(M())\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / name))
            mlflow.pyfunc.save_model(
                tmp_path / f"m-{name}", python_model=str(tmp_path / name / "code.py"), signature=NUMBERS,
                code_paths=[str(tmp_path / name / "shared.py")], pip_requirements=["mlflow"],
            )  # fmt: skip
            import sys

            sys.modules.pop("shared", None)
    assert [asked(tmp_path / f"m-{name}").labels[0] for name in ("one", "other")] == ["one", "other"]


def test_nothing_but_arrays_comes_back_from_a_models_process() -> None:
    with pytest.raises(FaultError, match="Object arrays cannot be saved"):
        apart.call(lambda: {"labels": numpy.array([print], dtype=object)}, lambda _: False)


def edit(folder: Path, old: str, new: str) -> None:
    described = (folder / "MLmodel").read_text()
    assert old in described
    (folder / "MLmodel").write_text(described.replace(old, new))


def test_flavours_that_are_data_are_loaded_without_pyfunc(tmp_path: Path) -> None:
    folder = fitted(tmp_path / "m", LogisticRegression(), ["a", "a", "b", "b"])
    assert flavours.refusal(folder, FLAVOURS) is None
    assert flavours.refusal(folder, ["sklearn"]) is None
    assert flavours.refusal(folder, ["xgboost"]) == "it is loaded by mlflow.sklearn; gate.flavours allows xgboost"


def test_what_is_code_is_loaded_where_pyfunc_is_allowed_only(tmp_path: Path) -> None:
    code = model(tmp_path / "code", lambda rows: rows)
    assert flavours.refusal(code, FLAVOURS) is None
    assert flavours.refusal(code, ["sklearn"]) == "it is loaded by mlflow.pyfunc.model; gate.flavours allows sklearn"
    pickled = fitted(
        tmp_path / "pickled", LogisticRegression(), ["a", "a", "b", "b"], serialization_format="cloudpickle"
    )
    assert flavours.refusal(pickled, FLAVOURS) is None
    assert flavours.refusal(pickled, ["sklearn"]) == (
        "it is in the format cloudpickle, which is code; gate.flavours allows none without pyfunc"
    )
    brought = fitted(tmp_path / "brought", LogisticRegression(), ["a", "a", "b", "b"], code_paths=[__file__])
    assert str(flavours.refusal(brought, ["sklearn"])).startswith("modules come with it, which is code")


def test_nothing_that_mlflow_does_not_load_itself_is_loaded(tmp_path: Path) -> None:
    folder = fitted(tmp_path / "m", LogisticRegression(), ["a", "a", "b", "b"])
    for loader in ("sklearn", "mine", "mlflow.mine", "os"):
        edit(folder, "loader_module: mlflow.sklearn", f"loader_module: {loader}")
        assert str(flavours.refusal(folder, FLAVOURS)).startswith(f"it is loaded by {loader}; ")
        edit(folder, f"loader_module: {loader}", "loader_module: mlflow.sklearn")
    edit(folder, "python_function:", "another:")
    assert "not python_function, by which servers ask" in str(flavours.refusal(folder, FLAVOURS))
    (folder / "MLmodel").write_text("]")
    assert str(flavours.refusal(folder, FLAVOURS)).startswith("its file MLmodel can't be read: ")
