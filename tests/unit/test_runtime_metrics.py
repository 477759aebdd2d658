"""What models are judged by: the numbers of the field, which of two is better, and what is said where there is none."""

from __future__ import annotations

from functools import partial
from math import inf, isfinite, nan, sqrt
from pathlib import Path
from typing import Any

import numpy
import pytest
from ml_runtime import own_metric
from ml_runtime.answers import Answers, MetricError
from ml_runtime.arithmetic import rarer
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError
from ml_runtime.metrics import METRICS, scores
from sklearn import metrics as reference


def texts(*values: str) -> Any:
    return numpy.array(values, dtype=object)


def answers(labels: Any, probabilities: Any = None, classes: tuple[str, ...] | None = None) -> Answers:
    labels = numpy.array(labels, dtype=float if isinstance(labels[0], float) else object)
    return Answers(
        labels=labels, probabilities=None if probabilities is None else numpy.array(probabilities), classes=classes
    )


@pytest.mark.parametrize(
    ("metric", "target", "labels", "expected"),
    [
        ("accuracy", "abbb", "abba", 0.75),
        ("balanced_accuracy", "abbb", "abaa", (1 + 1 / 3) / 2),
        ("recall", "abbb", "abaa", (1 + 1 / 3) / 2),
        ("precision", "abbb", "abaa", (1 / 3 + 1) / 2),
        ("f1", "abbb", "abaa", 0.5),
        ("macro_f1", "abbb", "abaa", 0.5),
        ("weighted_f1", "abbb", "aaaa", 0.1),
        ("mcc", "abab", "abab", 1.0),
    ],
)
def test_a_metric_of_classes_is_the_number_of_the_textbook(
    metric: str, target: str, labels: str, expected: float
) -> None:
    assert METRICS[metric].of(texts(*target), answers([*labels])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "target", "labels", "expected"),
    [
        ("rmse", [1.0, 2.0], [1.0, 4.0], sqrt(2)),
        ("mae", [1.0, 2.0], [1.0, 4.0], 1.0),
        ("mape", [1.0, 2.0], [1.0, 4.0], 0.5),
        ("median_absolute_error", [1.0, 2.0, 3.0], [1.0, 4.0, 9.0], 2.0),
        ("r2", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 1.0),
        ("r2", [1.0, 2.0, 3.0], [2.0, 2.0, 2.0], 0.0),
    ],
)
def test_a_metric_of_numbers_is_the_number_of_the_textbook(
    metric: str, target: list[float], labels: list[float], expected: float
) -> None:
    assert METRICS[metric].of(numpy.array(target), answers(labels)) == pytest.approx(expected)


def drawn(classes: tuple[str, ...], rows: int = 200) -> tuple[Any, Answers]:
    draw = numpy.random.default_rng(0)
    probabilities = draw.dirichlet(numpy.ones(len(classes)), rows)
    target = numpy.array(classes, dtype=object)[draw.integers(0, len(classes), rows)]
    return target, answers(
        numpy.array(classes, dtype=object)[probabilities.argmax(axis=1)].tolist(), probabilities, classes
    )


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c")])
def test_metrics_of_probabilities_are_those_of_scikit_learn(classes: tuple[str, ...]) -> None:
    target, given = drawn(classes)
    found, shown = scores(Task.CLASSIFICATION, target, given), given.probabilities
    assert shown is not None
    assert found["log_loss"] == pytest.approx(reference.log_loss(target, shown, labels=[*classes]))
    assert found["brier"] == pytest.approx(
        reference.brier_score_loss(target, shown if len(classes) > 2 else shown[:, 1], **(
            {"labels": [*classes]} if len(classes) > 2 else {"pos_label": "yes"}
        ))
    )  # fmt: skip
    ranked = shown if len(classes) > 2 else shown[:, 1]
    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(target, ranked, multi_class="ovr"))


REFERENCES = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "macro_f1": partial(reference.f1_score, average="macro", zero_division=0),
    "weighted_f1": partial(reference.f1_score, average="weighted", zero_division=0),
    "precision": partial(reference.precision_score, average="macro", zero_division=0),
    "recall": partial(reference.recall_score, average="macro", zero_division=0),
    "mcc": reference.matthews_corrcoef,
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "mape": reference.mean_absolute_percentage_error,
    "median_absolute_error": reference.median_absolute_error,
    "r2": reference.r2_score,
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("rows", [7, 200])
def test_metrics_of_answers_are_those_of_scikit_learn_with_each_row_counted_as_one_likes(name: str, rows: int) -> None:
    target, given = drawn(("a", "b", "c"), rows)
    if METRICS[name].task is Task.REGRESSION:
        target, given = numpy.arange(1.0, rows + 1), answers((numpy.arange(rows) ** 1.1).tolist())
    counts = numpy.random.default_rng(1).integers(0, 3, rows)
    repeated = numpy.arange(rows).repeat(counts)
    found, expected = METRICS[name].on(target, given), REFERENCES[name]
    assert found(numpy.ones(rows, int)) == pytest.approx(expected(target, given.labels))
    assert found(counts) == pytest.approx(expected(target[repeated], given.labels[repeated]))


@pytest.mark.parametrize("digits", [1, 9])
def test_ranks_with_ties_are_those_of_scikit_learn_with_each_row_counted_as_one_likes(digits: int) -> None:
    target, given = drawn(("no", "yes"))
    assert given.probabilities is not None
    shown = given.probabilities.round(digits)
    rounded, counts = answers(given.labels, shown, given.classes), numpy.random.default_rng(1).integers(0, 3, 200)
    positive = rarer(target)
    of = shown[:, ("no", "yes").index(positive)]
    for name, expected in (("roc_auc", reference.roc_auc_score), ("pr_auc", reference.average_precision_score)):
        found = METRICS[name].on(target, rounded)(counts)
        assert found == pytest.approx(expected(target == positive, of, sample_weight=counts))


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_nothing_that_is_not_finite_is_better_or_reaches_anything(metric: Any) -> None:
    good, bad = (0.1, 0.2) if metric.less_is_better else (0.9, 0.8)
    assert metric.better(good, bad)
    assert not metric.better(bad, good)
    assert not metric.better(good, good)
    assert metric.reaches(good, bad)
    assert metric.reaches(bad, bad)
    assert not metric.reaches(bad, good)
    for none in (nan, inf, -inf):
        assert not metric.better(none, bad)
        assert not metric.better(none, none)
        assert metric.better(bad, none)
        assert not metric.reaches(none, bad)
    assert metric.improvement(good, bad) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("metric", "target", "labels", "words"),
    [
        ("roc_auc", texts("a", "b"), ["a", "b"], "roc_auc needs probabilities, and the model gives none; give it"),
        ("macro_f1", texts("a", "a"), ["a", "a"], "needs two classes, and the test rows have 'a' only; take more"),
        ("f1", texts("a", "b", "c"), ["a", "b", "c"], "name one as `positive`, or take macro_f1"),
        ("mape", numpy.array([0.0, 1.0]), [1.0, 1.0], "which is 0 in 1 of 2 rows; take mae or rmse"),
        ("r2", numpy.array([1.0, 1.0]), [1.0, 2.0], "all test rows have the same target; take mae or rmse"),
        ("rmse", numpy.array([1.0, 2.0]), [nan, 2.0], "rmse has no value: the model's answer to 1 of 2 rows is no"),
        ("mae", numpy.array([1.0, 2.0]), [inf, 2.0], "answer to 1 of 2 rows is no finite number"),
    ],
)  # fmt: skip
def test_where_there_is_no_value_the_reason_names_the_way_out(
    metric: str, target: Any, labels: list[Any], words: str
) -> None:
    with pytest.raises(MetricError, match=words):
        METRICS[metric].of(target, answers(labels))


def test_a_probability_that_is_none_is_found() -> None:
    with pytest.raises(MetricError, match="answer to 1 of 2 rows is no finite number"):
        METRICS["log_loss"].of(texts("a", "b"), answers(["a", "b"], [[nan, 1.0], [0.5, 0.5]], ("a", "b")))


def test_a_class_that_the_model_does_not_know_has_no_probability() -> None:
    given = answers(["a", "a", "b"], [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], ("a", "b"))
    target = texts("a", "c", "b")
    found = {name: METRICS[name].of(target, given) for name in ("log_loss", "brier", "roc_auc", "pr_auc")}
    assert all(map(isfinite, found.values()))
    assert found["log_loss"] > 5


def test_the_rarer_class_is_the_positive_one_unless_another_is_named() -> None:
    target, given = texts("no", "no", "yes"), answers(["no", "yes", "yes"])
    assert rarer(target) == "yes"
    assert rarer(texts("0", "1")) == "1"
    assert METRICS["f1"].of(target, given) == METRICS["f1"].of(target, given, "yes") == pytest.approx(2 / 3)
    assert METRICS["f1"].of(texts("a", "b", "c"), answers(["a", "b", "a"]), "a") == pytest.approx(2 / 3)
    with pytest.raises(MetricError, match="of the class 'maybe', which no test row has"):
        METRICS["f1"].of(target, given, "maybe")


def test_a_run_gets_all_scores_that_have_a_value() -> None:
    plain = scores(Task.CLASSIFICATION, texts("a", "b", "c"), answers(["a", "b", "a"]))
    assert {"accuracy", "macro_f1", "mcc"} <= set(plain)
    assert not {"f1", "roc_auc", "rmse"} & set(plain)
    assert set(scores(Task.REGRESSION, numpy.array([0.0, 1.0]), answers([1.0, 1.0]))) == {
        "rmse", "mae", "median_absolute_error", "r2",
    }  # fmt: skip


OWN = "LESS_IS_BETTER = True\ndef score(target, answers):\n    return abs(answers.labels - target).max()\n"


def test_a_metric_of_ones_own_is_a_function_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "worst.py").write_text(OWN)
    metric = own_metric.named("worst.py", tmp_path)
    assert (metric.name, metric.less_is_better, metric.task) == ("worst", True, None)
    assert metric.of(numpy.array([1.0, 2.0]), answers([1.0, 5.0])) == 3.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def score(target, answers): return 1.0", "must have a function score.* and LESS_IS_BETTER = True or False"),
        ("LESS_IS_BETTER = True", "must have a function score"),
        ("import nothing_of_this_name", "mine.py, line 1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def score(:", "mine.py: SyntaxError: "),
        ("LESS_IS_BETTER = True\ndef score(target, answers):\n    return 1 / 0", "mine.py, line 3: ZeroDivision"),
        ("LESS_IS_BETTER = True\ndef score(target, answers): return None", "mine.py: score gave None, not a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(RunError, match=words) as said:
        own_metric.named("mine.py", tmp_path).of(numpy.array([1.0]), answers([1.0]))
    assert "\n" not in str(said.value)


def test_a_file_that_was_not_shipped_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"gate.metric is 'mine\.py', and there is no such file"):
        own_metric.named("mine.py", tmp_path)
