"""Pictures of models: which there are for which answers, that odd tables have theirs, what a drawing may cost."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import importance, pictures
from ml_runtime.answers import Answers
from ml_runtime.bootstrap import Comparison, Interval
from ml_runtime.data_spec import Task
from ml_runtime.gate_spec import GateRules
from ml_runtime.metrics import METRICS
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PNG = b"\x89PNG"


def drawn(task: Task, target: Any, answers: Answers, **other: Any) -> dict[str, bytes]:
    found = {}
    for name, figure in pictures.of(task, target, answers, **other):
        figure.savefig(file := io.BytesIO())
        found[name] = file.getvalue()
    return found


def classified(classes: int, rows: int, sure: bool = True) -> tuple[Any, Answers]:
    draw = numpy.random.default_rng(0)
    names = numpy.array([f"class {number}" for number in range(classes)], dtype=object)
    shown = draw.dirichlet(numpy.ones(classes), rows)
    labels, target = names[shown.argmax(axis=1)], names[draw.integers(0, classes, rows)]
    return target, Answers(labels=labels, probabilities=shown, classes=tuple(names)) if sure else Answers(labels=labels)


@pytest.mark.parametrize(
    ("classes", "rows", "sure", "names"),
    [
        (2, 200, True, {"confusion", "roc", "precision-recall", "calibration"}),
        (3, 200, True, {"confusion", "roc", "precision-recall", "calibration"}),
        (60, 500, True, {"confusion", "roc", "precision-recall", "calibration"}),
        (3, 200, False, {"confusion"}),
        (1, 5, True, {"confusion"}),
    ],
)
def test_a_classification_has_pictures_of_what_it_tells(classes: int, rows: int, sure: bool, names: set[str]) -> None:
    found = drawn(Task.CLASSIFICATION, *classified(classes, rows, sure))
    assert set(found) == names
    assert all(content.startswith(PNG) for content in found.values())


def test_a_regression_has_its_errors() -> None:
    target = numpy.arange(50.0)
    found = drawn(Task.REGRESSION, target, Answers(labels=target + 1), importance={"a": 0.5, "b": -0.1})
    assert set(found) == {"predicted", "residuals", "importance"}


def about(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.1)


@pytest.mark.parametrize(
    "found",
    [
        Comparison(candidate=about(0.9)),
        Comparison(candidate=about(0.9), champion=about(0.8), difference=Interval(value=0.1, low=0.11, high=0.2)),
    ],
    ids=["alone", "beside the champion"],
)
def test_a_judgement_has_its_intervals(found: Comparison) -> None:
    figure = pictures.intervals(METRICS["accuracy"], found, GateRules(metric="accuracy", at_least=0.85))
    figure.savefig(file := io.BytesIO())
    assert file.getvalue().startswith(PNG)


def test_drawing_costs_little_of_many_rows_too() -> None:
    target, answers = classified(3, 100_000)
    drawn(Task.CLASSIFICATION, target[:100], answers.at(numpy.arange(100)))  # what is loaded once
    began = time.process_time()
    drawn(Task.CLASSIFICATION, target, answers, importance={"a": 1.0})
    assert time.process_time() - began < 5  # 1.2 s while the machine is quiet


FEATURES = pandas.DataFrame({"says all": numpy.arange(200.0), "says nothing": numpy.tile([1.0, 2.0], 100)})


def test_a_model_that_says_itself_what_matters_is_believed() -> None:
    target = numpy.array(["a"] * 100 + ["b"] * 100, dtype=object)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(FEATURES, target)
    found = importance.of(forest, FEATURES, target, Task.CLASSIFICATION)
    assert found == dict(zip(FEATURES, forest.feature_importances_, strict=True))


def test_of_any_other_model_a_column_matters_by_what_is_lost_without_it() -> None:
    target = FEATURES["says all"].to_numpy()
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(FEATURES, target)
    found = importance.of(model, FEATURES, target, Task.REGRESSION)
    assert found["says all"] > 20
    assert abs(found["says nothing"]) < 1e-6


def test_a_model_that_answers_slowly_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def predict(self, rows: Any) -> Any:
            time.sleep(0.05)
            return numpy.zeros(len(rows))

    monkeypatch.setattr(importance, "SECONDS", 0.01)
    assert importance.of(Slow(), FEATURES, numpy.zeros(200), Task.REGRESSION) == {}
