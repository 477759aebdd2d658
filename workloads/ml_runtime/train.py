"""Trains one model and logs it to MLflow, as a candidate that its gate will judge.

The run carries the run key as a tag. A second try with the same key takes the run that finished; what a killed try left
unfinished is marked as such. Training code of one's own is a program that ends in

    sys.exit(train.main(fit))

with `fit(features: DataFrame, target: Series, parameters: Mapping, seed: int)`, which gives back a fitted estimator of
scikit-learn or XGBoost.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ml_runtime import candidate, command, estimators, learning_spec, tracking
from ml_runtime.candidate import Rows
from ml_runtime.errors import RunError
from ml_runtime.learning_spec import CandidateVerdict, TrainSpec
from ml_runtime.metrics import Task
from ml_runtime.patience import limit_client_retries, patiently

if TYPE_CHECKING:
    from mlflow.entities import Run

Fit = Callable[[Any, Any, Mapping[str, Any], int], Any]


def train(spec: TrainSpec, fit: Fit) -> Run:
    """The finished MLflow run of this run key, trained now if it is not there yet.

    Raises:
        RunError: the data are not what the description says, or a service was away for too long.
    """
    limit_client_retries()
    rows = candidate.read(spec)
    return patiently("MLflow", spec.patience, lambda: tracking.finished_run(spec) or _train(spec, rows, fit))


def _train(spec: TrainSpec, rows: Rows, fit: Fit) -> Run:
    import mlflow

    estimator = fit(rows.features(rows.training), rows.target(rows.training), spec.parameters, spec.seed)
    mlflow.set_experiment(spec.experiment)
    with mlflow.start_run(run_name=spec.run, tags=candidate.tags(rows)) as run:
        candidate.log(rows, estimator, {"estimator": spec.estimator or type(estimator).__name__, **spec.parameters})
    return mlflow.get_run(run.info.run_id)


def by_name(spec: TrainSpec) -> Fit:
    """Fit the estimator that the description names.

    Raises:
        RunError: it names none, or one that can't be had or can't learn this.
    """
    if spec.estimator is None:
        raise RunError("the description names no estimator; a program of one's own calls ml_runtime.train.main(fit)")
    name = spec.estimator

    def fit(features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
        if spec.task is Task.CLASSIFICATION:
            estimators.check_classes(name, list(target))
        return estimators.make(name, spec.task, parameters, seed).fit(features, target)

    return fit


def main(fit: Fit | None = None) -> int:
    """The command; `fit` is the training code of a program of one's own."""

    def work(spec: TrainSpec) -> CandidateVerdict:
        return candidate.verdict(spec, train(spec, fit or by_name(spec)))

    return command.run("ml_runtime.train", __doc__, learning_spec.parse, work)


if __name__ == "__main__":
    sys.exit(main())
