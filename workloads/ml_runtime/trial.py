"""One trial of a tuning: a model fitted with its parameters, scored on rows kept for that, logged as a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_runtime import candidate, data, estimators, search
from ml_runtime.candidate import Rows
from ml_runtime.patience import patiently
from ml_runtime.study import TRIAL, Study


@dataclass(frozen=True, kw_only=True)
class TrialRows(Rows):
    """Those of a tuning: a part of what is not held out only compares the trials."""

    validation: data.Table

    @property
    def scored(self) -> Mapping[str, data.Table]:
        """No trial sees the rows that its gate will judge by."""
        return {"training": self.training, "validation": self.validation}


def split(rows: Rows, validation: float) -> TrialRows:
    """Take the rows to compare trials on from those to train on.

    Raises:
        RunError: there are too few.
    """
    spec = rows.spec
    training, part = data.split(rows.training, spec.target, spec.task, validation)
    return TrialRows(spec=spec, training=training, held_out=rows.held_out, sha256=rows.sha256, validation=part)


def run(study: Study, rows: TrialRows, number: int, parameters: search.Trial) -> float:
    """Do the trial, and leave its MLflow run; its score.

    Raises:
        RunError: it can't be done with these parameters, or MLflow was away for too long.
    """
    return patiently("MLflow", rows.spec.patience, lambda: _run(study, rows, number, parameters))


def _run(study: Study, rows: TrialRows, number: int, parameters: search.Trial) -> float:
    import mlflow

    spec, chosen = study.spec, {**study.spec.parameters, **parameters}
    tags: dict[str, Any] = {**candidate.tags(rows), TRIAL: str(number)}
    with mlflow.start_run(
        experiment_id=study.experiment_id, run_name=f"{spec.run}-{number}", tags=tags, parent_run_id=study.run_id
    ):
        mlflow.log_params(chosen)
        estimator = estimators.make(spec.estimator, spec.task, chosen, spec.seed)
        estimator.fit(rows.features(rows.training), rows.target(rows.training))
        found = candidate.log(rows, estimator, {"estimator": spec.estimator})
    return found[f"validation_{spec.metric}"]
