"""The metrics by which models are judged and watched, as the settings name them: of which task each is, and which of
two values is better."""

from collections.abc import Mapping
from typing import Literal

from ml_platform.configuration import MisfitError

from ml_workloads.data_settings import Task

Metric = Literal[
    "accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "f1", "precision", "recall", "roc_auc", "pr_auc",
    "log_loss", "brier", "mcc", "rmse", "mae", "r2", "mape", "median_absolute_error",
]  # fmt: skip
METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "classification": (
        "accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "f1", "precision", "recall", "roc_auc", "pr_auc",
        "log_loss", "brier", "mcc",
    ),
    "regression": ("rmse", "mae", "r2", "mape", "median_absolute_error"),
}  # fmt: skip
"""The metrics of each task; the first is the one where the settings name none."""
LESS_IS_BETTER: frozenset[str] = frozenset({"log_loss", "brier", "rmse", "mae", "mape", "median_absolute_error"})
PROBABILITIES: frozenset[str] = frozenset({"roc_auc", "pr_auc", "log_loss", "brier"})
"""Those of classifiers that tell probabilities."""
INFINITE = float("inf")
BOUNDS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(METRICS["classification"], (0, 1)),
    **dict.fromkeys(METRICS["regression"], (0, INFINITE)),
    "log_loss": (0, INFINITE),
    "mcc": (-1, 1),
    "r2": (-INFINITE, 1),
}
"""The least and the greatest value of each metric."""


def misfit(metric: str, at_least: float | None, at_most: float | None) -> MisfitError | None:
    """What is wrong with the one bound that there is, of a metric by this name."""
    key, bound = ("at_most", at_most) if at_least is None else ("at_least", at_least)
    if bound is None or metric not in BOUNDS:
        return None
    right, way = ("at_most", "less") if metric in LESS_IS_BETTER else ("at_least", "more")
    if key != right:
        return MisfitError(key, f"{way} {metric} is better: it has {right}", remove=True)
    least, most = BOUNDS[metric]
    return None if least <= bound <= most else MisfitError(key, f"{metric} is from {least} to {most}")
