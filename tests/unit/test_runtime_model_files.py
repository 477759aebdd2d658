"""Models from the files of their libraries: what they answer, what is said of others, how they get there."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy
import pandas
import pytest
import xgboost
from ml_runtime import model_files, request_inputs, store, stored_files
from ml_runtime.errors import RunError
from ml_runtime.model_files import NoModelError
from ml_runtime.places import Stored
from ml_runtime.store import Found
from ml_runtime.tensor import Tensor
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from skops import io

ROWS = pandas.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 1.0, 0.0, 1.0]})
TARGET = ROWS.a * 2


def dump(model: Any, path: Path) -> None:
    """A pickle, which joblib loads as well. Its own `dump` has no end once Pulumi has changed Python's pickler, as it
    does in this process wherever a dynamic resource is declared."""
    path.write_bytes(pickle.dumps(model))


def sklearn(rows: Any) -> Any:
    return LinearRegression().fit(rows, TARGET)


def put_joblib(rows: Any, folder: Path) -> None:
    dump(sklearn(rows), folder / "model.joblib")


def put_pickle(rows: Any, folder: Path) -> None:
    dump(sklearn(rows), folder / "model.pkl")


def put_skops(rows: Any, folder: Path) -> None:
    io.dump(sklearn(rows), folder / "model.skops")


def put_xgboost(rows: Any, folder: Path) -> None:
    made = xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows, TARGET), num_boost_round=40)
    made.save_model(folder / "model.json")


def put_lightgbm(rows: Any, folder: Path) -> None:
    settings = {"min_data_in_leaf": 1, "min_data_in_bin": 1, "verbose": -1}
    lightgbm.train(settings, lightgbm.Dataset(rows, TARGET), num_boost_round=60).save_model(folder / "model.txt")


PUT: list[tuple[str, Callable[[Any, Path], None]]] = [
    ("sklearn", put_joblib), ("sklearn", put_pickle), ("sklearn", put_skops), ("xgboost", put_xgboost),
    ("lightgbm", put_lightgbm),
]  # fmt: skip


@pytest.mark.parametrize(("name", "put"), PUT)
@pytest.mark.parametrize("rows", [ROWS, ROWS.to_numpy()], ids=["named", "unnamed"])
def test_a_file_answers_by_the_columns_that_it_was_fitted_with(
    name: str, put: Callable[[Any, Path], None], rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(rows, tmp_path)
    monkeypatch.setenv("ML_FORMAT", name)
    model = model_files.load(tmp_path)
    taken = request_inputs.of(model.metadata.signature)
    if isinstance(rows, pandas.DataFrame):
        assert [each.name for each in taken.wanted] == ["a", "b"]
        tensors = [Tensor(each, [1], "FP64", [value], {}) for each, value in (("b", 0.0), ("a", 3.0))]
    else:
        tensors = [Tensor("rows", [1, 2], "FP64", [3.0, 0.0], {})]
    assert numpy.ravel(model.predict(taken.made(tensors))) == pytest.approx([6.0], abs=0.2)
    assert model.get_raw_model() is not None


@pytest.mark.parametrize(
    ("name", "put", "says"),
    [
        ("xgboost", put_joblib, "of format xgboost there is to be one file that ends with .json or .ubj or "),
        ("sklearn", put_xgboost, "and there is: model.json. Name the file or its folder by `uri`"),
        ("sklearn", lambda _, folder: None, "and there is: nothing"),
        ("sklearn", lambda _, folder: (folder / "a.pkl").write_text("no pickle"), "a.pkl can't be loaded as sklearn: "),
        ("sklearn", lambda _, folder: dump([1], folder / "a.joblib"), "holds a list, which has no predict"),
        ("sklearn", lambda _, folder: dump(LinearRegression(), folder / "a.joblib"), "is not fitted"),
        ("sklearn", lambda _, folder: dump(StandardScaler(), folder / "a.joblib"), "has no predict"),
        ("xgboost", lambda _, folder: (folder / "m.json").write_text("{}"), "m.json can't be loaded as xgboost"),
        ("lightgbm", lambda _, folder: (folder / "m.txt").write_text("x"), "m.txt can't be loaded as lightgbm"),
    ],
)  # fmt: skip
def test_files_that_are_no_such_model_are_named(
    name: str, put: Callable[[Any, Path], Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ROWS, tmp_path)
    monkeypatch.setenv("ML_FORMAT", name)
    with pytest.raises(NoModelError) as refused:
        model_files.load(tmp_path)
    assert says in str(refused.value)


OBJECTS = {
    "models/mpg/1/model.joblib": b"m",
    "models/mpg/1/more/a.json": b"a",
    "models/mpg/10/b": b"b",
    "one.ubj": b"o",
}


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object store with these."""

    def find(place: Stored, _: float) -> list[Found]:
        if place.key not in OBJECTS:
            raise RunError(f"{place}: there is no such object")
        return [Found(place=place, size=1, etag="")]

    def below(prefix: Stored, _: float) -> list[Found]:
        keys = sorted(key for key in OBJECTS if key.startswith(prefix.key))
        return [Found(place=Stored(bucket=prefix.bucket, key=key), size=1, etag="") for key in keys]

    def fetch(found: Found, path: Path, _: float) -> str:
        path.write_bytes(OBJECTS[found.place.key])
        return ""

    for function in (find, below, fetch):
        monkeypatch.setattr(store, function.__name__, function)


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("s3://datasets/models/mpg/1", ["model.joblib", "more/a.json"]),
        ("s3://datasets/models/mpg/1/", ["model.joblib", "more/a.json"]),
        ("s3://datasets/models/mpg/1/model.joblib", ["model.joblib"]),
        ("s3://datasets/one.ubj", ["one.ubj"]),
    ],
)
@pytest.mark.usefixtures("objects")
def test_a_folder_of_the_object_store_or_one_object_is_put_below_the_target(
    source: str, files: list[str], tmp_path: Path
) -> None:
    assert stored_files.download(source, tmp_path, 1) == files
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == files


@pytest.mark.usefixtures("objects")
def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="s3://datasets/models/mpg/2: there is no such object"):
        stored_files.download("s3://datasets/models/mpg/2", tmp_path, 1)
