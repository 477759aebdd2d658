"""Estimators by name: what they make of raw columns, what is refused before a fit, and that a server can load them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
import pandas
import pytest
import skops.io
from ml_runtime import libraries
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError
from ml_runtime.estimators import ESTIMATORS, Recipe
from ml_runtime.schema import Column, Kind, Schema
from threadpoolctl import threadpool_limits

CLASSES, NUMBERS = Task.CLASSIFICATION, Task.REGRESSION
SCHEMA = Schema(
    (
        Column("size", Kind.NUMBER, nullable=True),
        Column("rooms", Kind.NUMBER, whole=True),
        Column("city", Kind.CATEGORY, nullable=True, categories=("Bonn", "Ulm")),
        Column("note", Kind.TEXT, nullable=True),
        Column("sold", Kind.TIME),
    )
)
COUNT = 60
COLUMNS: dict[str, Any] = {
    "size": [None if i % 11 == 0 else i % 13 / 2 for i in range(COUNT)],
    "rooms": [i % 5 for i in range(COUNT)],
    "city": [None if i % 17 == 0 else ("Bonn", "Ulm")[i % 2] for i in range(COUNT)],
    "note": [None if i % 19 == 0 else f"quiet garden number{i % 3}" for i in range(COUNT)],
    "sold": pandas.date_range("2026-01-01", periods=COUNT, tz="UTC"),
}
FEATURES = pandas.DataFrame(
    {
        name: pandas.Series(values, dtype=object if name in ("city", "note") else None)
        for name, values in COLUMNS.items()
    }
)
LABELS = pandas.Series([("007", "7")[i % 2] for i in range(COUNT)], dtype=object)
PRICES = pandas.Series([float(i % 5) for i in range(COUNT)])
FEW: dict[str, dict[str, Any]] = {
    name: {"n_estimators": 3, "n_jobs": 1} for name in ("random-forest", "extra-trees", "xgboost", "lightgbm")
} | {"gradient-boosting": {"max_iter": 3}}
ALL = [(name, task) for name, family in ESTIMATORS.items() for task in Task if family.path(task)]
ASKED = pandas.DataFrame(
    {"size": [numpy.nan, 2.0], "rooms": [1, 9], "city": ["Rome", None], "note": [numpy.nan, "a new word"]}
).assign(sold=FEATURES["sold"][:2])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for a busy processor take minutes for what one does in no time."""
    with threadpool_limits(1):
        yield


def fitted(name: str, task: Task, **parameters: Any) -> Any:
    target = LABELS if task is CLASSES else PRICES
    return Recipe(name, task, {**FEW.get(name, {}), **parameters}, 0).fit(SCHEMA, FEATURES, target)


def refusal(name: str, parameters: dict[str, Any], task: Task = CLASSES) -> str:
    with pytest.raises(RunError) as refused:
        Recipe(name, task, parameters, 0).pipeline(SCHEMA)
    return str(refused.value)


@pytest.mark.parametrize(("name", "task"), ALL)
def test_each_takes_raw_columns_and_a_server_loads_it_without_code(name: str, task: Task) -> None:
    model = fitted(name, task)
    content = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=content)
    assert [each for each in types if not each.startswith(libraries.LOADED)] == []
    loaded = skops.io.loads(content, trusted=types)
    for asked in (ASKED, ASKED.astype({"city": "str", "note": "str"})):
        assert list(loaded.predict(asked)) == list(model.predict(ASKED))
    if task is CLASSES:
        assert set(model.predict(FEATURES)) <= {"007", "7"}


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_boosters_answer_with_the_classes_as_they_are_written(name: str) -> None:
    model = fitted(name, CLASSES, class_weight={"007": 50, "7": 1}, n_estimators=1, max_depth=1)
    assert list(model.classes_) == ["007", "7"]
    assert model.predict_proba(FEATURES).shape == (COUNT, 2)
    even = fitted(name, CLASSES, n_estimators=1, max_depth=1)
    assert model.predict_proba(FEATURES)[:, 0].mean() > even.predict_proba(FEATURES)[:, 0].mean()


@pytest.mark.parametrize("name", [name for name, task in ALL if task is CLASSES and name != "k-neighbors"])
def test_classes_can_be_weighed(name: str) -> None:
    fitted(name, CLASSES, class_weight="balanced")


@pytest.mark.parametrize("name", ["logistic-regression", "random-forest", "xgboost"])
def test_a_class_that_looks_like_a_number_is_weighed_by_its_name(name: str) -> None:
    heavy = fitted(name, CLASSES, class_weight={"007": 1000})
    assert list(heavy.predict(FEATURES)).count("007") >= list(fitted(name, CLASSES).predict(FEATURES)).count("007")
    with pytest.raises(RunError, match=r"class_weight has the class '07', and the training rows have '007', '7'"):
        fitted(name, CLASSES, class_weight={"07": 2})


def test_times_are_left_out_and_nothing_else_is_an_error_before_the_fit() -> None:
    model = fitted("ridge", NUMBERS)
    later = FEATURES.assign(sold=FEATURES["sold"] + pandas.Timedelta(days=900))
    assert list(model.predict(later)) == list(model.predict(FEATURES))
    with pytest.raises(RunError, match=r"only sold \(time\).*make features in a script"):
        Recipe("ridge", NUMBERS, {}, 0).pipeline(SCHEMA.only(["sold"]))


def test_a_rare_category_beyond_the_hundredth_goes_into_one_column() -> None:
    many = pandas.DataFrame({"city": pandas.Series([f"c{i % 300}" for i in range(900)], dtype=object)})
    schema = Schema((Column("city", Kind.CATEGORY),))
    model = Recipe("ridge", NUMBERS, {}, 0).fit(schema, many, pandas.Series(range(900)))
    assert len(model.named_steps["model"].coef_) == 100


def test_parameters_of_steps_are_named_by_their_path() -> None:
    model = fitted("logistic-regression", CLASSES, C=2.0, columns__text_note__words__ngram_range=[1, 2])
    assert model.named_steps["model"].C == 2.0
    words = model.named_steps["columns"].named_transformers_["text_note"].named_steps["words"]
    assert "quiet garden" in words.vocabulary_


def test_what_takes_parts_only_gets_a_part_where_a_stack_has_written_a_whole_number() -> None:
    model = Recipe("gradient-boosting", CLASSES, {"max_features": 1}, 0).model()
    assert isinstance(model.max_features, float)


def test_what_a_tuning_has_drawn_means_what_it_is() -> None:
    assert Recipe("random-forest", CLASSES, {"max_features": 1}, 0, checked=True).model().max_features == 1


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("random-forrest", {}, ["no estimator 'random-forrest'", "did you mean 'random-forest'", "k-neighbors"]),
        ("ridge", {}, ["no estimator 'ridge' for classification"]),
        ("logistic-regression", {"c": 1.0}, ["no parameter 'c'", "there are C, "]),
        ("random-forest", {"n_estimatrs": 5}, ["no parameter 'n_estimatrs'", "did you mean 'n_estimators'"]),
        ("xgboost", {"colsample_by_tree": 0.5}, ["'colsample_by_tree'", "did you mean 'colsample_bytree'"]),
        ("xgboost", {"max_deph": 3, "eta": 0.3}, ["'max_deph'", "did you mean 'max_depth'"]),
        ("lightgbm", {"num_leavs": 3}, ["'num_leavs'", "did you mean 'num_leaves'"]),
        ("xgboost", {"early_stopping_rounds": 5}, ["parameters.early_stopping_rounds", "gradient-boosting"]),
        ("lightgbm", {"early_stopping_round": 5}, ["parameters.early_stopping_round", "gradient-boosting"]),
        ("xgboost", {"seed": 7}, ["parameters.seed", "the run's own `seed`"]),
        ("random-forest", {"random_state": 7}, ["parameters.random_state", "the run's own `seed`"]),
        ("random-forest", {"max_features": 1}, ["parameters.max_features is 1", "Write null for all", "1e-6"]),
        ("random-forest", {"max_samples": 1}, ["parameters.max_samples is 1", "Write null for all"]),
        ("logistic-regression", {"columns__text_note__words__max_df": 1}, ["max_df is 1", "the default 1.0"]),
        ("logistic-regression", {"C": -1}, ["{'C': -1}", "must be a float in the range"]),
        ("logistic-regression", {"C": "0.5"}, ["{'C': '0.5'}", "must be a float"]),
        ("svm", {"columns__numbers__scal__with_mean": False}, ["did you mean 'columns__numbers__scale__with_mean'"]),
        ("k-neighbors", {"class_weight": "balanced"}, ["no parameter 'class_weight'"]),
        (
            "svm",
            {"class_weight": "even"},
            ["parameters.class_weight is 'even'", "'balanced', or a number"],
        ),
    ],
)
def test_a_mistake_is_refused_before_the_fit_with_the_way_out(
    name: str, parameters: dict[str, Any], words: list[str]
) -> None:
    said = refusal(name, parameters)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("xgboost", {"eta": 0.3, "lambda": 2, "max_depth": 3, "subsample": 1}),
        ("lightgbm", {"eta": 0.3, "num_leaves": 7, "bagging_fraction": 0.5}),
        ("random-forest", {"min_samples_leaf": 1, "max_features": 1.0, "n_estimators": 1}),
        ("logistic-regression", {"C": 1}),
    ],
)
def test_what_a_library_knows_by_another_name_is_taken(name: str, parameters: dict[str, Any]) -> None:
    Recipe(name, CLASSES, parameters, 0).pipeline(SCHEMA)
