"""Pictures of how a model does, as figures of matplotlib: artifacts of its MLflow run.

Drawn without pyplot, so nothing is global and no screen is looked for. Whoever logs a run takes `of`, the gate takes
`intervals`. Large tables are thinned before they are drawn: no picture costs more than the eye can see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ml_runtime.answers import Answers
from ml_runtime.arithmetic import rarer
from ml_runtime.data_spec import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ml_runtime.answers import Values
    from ml_runtime.bootstrap import Comparison
    from ml_runtime.gate_spec import GateRules
    from ml_runtime.metrics import Metric

CLASSES, CURVES, COLUMNS = 20, 6, 20
"""So many classes, curves and columns are drawn at most; the most frequent, and the most important."""
DOTS, POINTS = 2000, 400
Picture = tuple[str, "Figure"]


def of(
    task: Task, target: Values, answers: Answers, importance: Mapping[str, float] | None = None
) -> Iterator[Picture]:
    """All that can be drawn of these answers, each with its name."""
    if task is Task.REGRESSION:
        yield "predicted", _predicted(target, answers.labels)
        yield "residuals", _residuals(target, answers.labels)
    else:
        yield "confusion", _confusion(target, answers.labels)
        if answers.probabilities is not None and len(set(target.tolist())) > 1:
            yield "roc", _curves(target, answers, "roc_curve")
            yield "precision-recall", _curves(target, answers, "precision_recall_curve")
            yield "calibration", _calibration(target, answers)
    if importance:
        yield "importance", _importance(importance)


def intervals(metric: Metric, found: Comparison, rules: GateRules) -> Figure:
    """Candidate, champion and their difference, each with its interval, the threshold and the margin."""
    figure, (scores, difference) = _axes(1.8 + 1.2, parts=2)
    drawn = {"champion": found.champion, "candidate": found.candidate}
    for row, (name, each) in enumerate((name, each) for name, each in drawn.items() if each):
        scores.errorbar(each.value, row, xerr=_arms(each.value, each.low, each.high), fmt="o", capsize=4, label=name)
    names = [name for name, each in drawn.items() if each]
    scores.set_yticks(range(len(names)), names)
    scores.set_ylim(-0.5, len(names) - 0.5)
    if rules.threshold is not None:
        scores.axvline(rules.threshold, color="grey", linestyle="--")
    scores.set_xlabel(f"{metric.name}, at {rules.confidence:g}")
    if found.difference and rules.versus_champion:
        each = found.difference
        difference.errorbar(each.value, 0, xerr=_arms(each.value, each.low, each.high), fmt="o", capsize=4)
        difference.axvline(rules.versus_champion.margin, color="grey", linestyle="--")
        difference.set_yticks([0], ["better by"])
    else:
        difference.set_axis_off()
    return figure


def _arms(value: float, low: float, high: float) -> list[list[float]]:
    """What an interval reaches to both sides; of a skew one, no side is negative."""
    return [[max(0.0, value - low)], [max(0.0, high - value)]]


def _axes(height: float = 4.0, parts: int = 1) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0, height), dpi=90, layout="constrained")
    return figure, figure.subplots(parts)


def _confusion(target: Values, labels: Values) -> Figure:
    import numpy
    from sklearn.metrics import confusion_matrix

    names, sizes = numpy.unique(numpy.concatenate([target, labels]).astype(str), return_counts=True)
    shown = sorted(names[numpy.argsort(-sizes, kind="stable")[:CLASSES]])
    counts = confusion_matrix(target.astype(str), labels.astype(str), labels=shown)
    figure, axes = _axes(max(3.0, 0.3 * len(shown) + 1.5))
    axes.imshow(counts / counts.sum(axis=1, keepdims=True).clip(1), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in numpy.ndenumerate(counts):
        if count:
            axes.text(column, row, f"{count}", ha="center", va="center", fontsize=7)
    axes.set_xticks(range(len(shown)), shown, rotation=90)
    axes.set_yticks(range(len(shown)), shown)
    axes.set_xlabel("answered")
    axes.set_ylabel("true")
    return figure


def _curves(target: Values, answers: Answers, function: str) -> Figure:
    """Each class against the rest; of two the rarer alone."""
    from sklearn import metrics

    figure, axes = _axes()
    for name in _drawn_classes(target):
        first, second, _ = getattr(metrics, function)(target == name, answers.of_class(name))
        across, up = (second, first) if function == "precision_recall_curve" else (first, second)
        axes.plot(_thin(across), _thin(up), label=name)
    labels = ("recall", "precision") if function == "precision_recall_curve" else ("false positives", "true positives")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend(fontsize=7)
    return figure


def _calibration(target: Values, answers: Answers) -> Figure:
    """How often each class is true where it is said to be, by how sure the model is."""
    from sklearn.calibration import calibration_curve

    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--")
    for name in _drawn_classes(target):
        true, said = calibration_curve(target == name, answers.of_class(name).clip(0, 1), n_bins=10)
        axes.plot(said, true, marker="o", label=name)
    axes.set_xlabel("probability that the model gives")
    axes.set_ylabel("part of the rows")
    axes.legend(fontsize=7)
    return figure


def _drawn_classes(target: Values) -> list[str]:
    import numpy

    names, sizes = numpy.unique(target.astype(str), return_counts=True)
    return [str(rarer(target))] if len(names) == 2 else [*names[numpy.argsort(-sizes, kind="stable")[:CURVES]]]


def _predicted(target: Values, answers: Values) -> Figure:
    figure, axes = _axes()
    _dots(axes, target, answers)
    ends = [min(target.min(), answers.min()), max(target.max(), answers.max())]
    axes.plot(ends, ends, color="grey", linestyle="--")
    axes.set_xlabel("true")
    axes.set_ylabel("answered")
    return figure


def _residuals(target: Values, answers: Values) -> Figure:
    figure, axes = _axes()
    _dots(axes, answers, answers - target)
    axes.axhline(0, color="grey", linestyle="--")
    axes.set_xlabel("answered")
    axes.set_ylabel("answered - true")
    return figure


def _dots(axes: Axes, across: Values, up: Values) -> None:
    import numpy

    some = numpy.random.default_rng(0).permutation(len(across))[:DOTS]
    axes.scatter(across[some], up[some], s=8, alpha=0.4, linewidths=0)


def _importance(importance: Mapping[str, float]) -> Figure:
    most = sorted(importance.items(), key=lambda each: abs(each[1]))[-COLUMNS:]
    figure, axes = _axes(max(2.0, 0.25 * len(most) + 1))
    axes.barh([name for name, _ in most], [value for _, value in most])
    axes.set_xlabel("importance")
    return figure


def _thin(values: Values) -> Values:
    import numpy

    return (
        values[numpy.unique(numpy.linspace(0, len(values) - 1, POINTS).astype(int))] if len(values) > POINTS else values
    )
