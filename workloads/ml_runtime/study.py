"""A tuning's record in MLflow: one run of its key, and below it a run for each trial.

It is what a tuning that was cut off goes on from: the trials that have finished are found here. What a killed process
has left behind is marked as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_runtime import candidate, tracking
from ml_runtime.candidate import Rows
from ml_runtime.metrics import METRICS
from ml_runtime.tune_spec import TuneSpec

if TYPE_CHECKING:
    from mlflow.entities import Run

TRIAL = "ml-platform.trial"
"""The tag with a trial's number."""
BEST = "ml-platform.best-trial"


@dataclass(frozen=True, kw_only=True)
class Study:
    """One tuning's."""

    spec: TuneSpec
    run_id: str
    """Of the run above the trials'."""
    experiment_id: str

    def finished(self) -> dict[int, Run]:
        """The trials that have their model, by number."""
        done = (run for run in self._trials() if run.info.status == "FINISHED")
        return {int(run.data.tags[TRIAL]): run for run in done}

    def settle(self, status: str) -> None:
        """Trials that nobody runs any more end with this status."""
        for run in self._trials():
            if run.info.status == "RUNNING":
                tracking.client().set_terminated(run.info.run_id, status)

    def best(self) -> tuple[int, Run]:
        """Of those that have finished; of equal ones the first."""
        metric, found = METRICS[self.spec.metric], self.finished()
        first, *others = sorted(found)
        for number in others:
            if metric.better(self.score(found[number]), self.score(found[first])):
                first = number
        return first, found[first]

    def score(self, run: Run) -> float:
        """By what trials are compared."""
        return float(run.data.metrics[f"validation_{self.spec.metric}"])

    def close(self) -> None:
        """Say which trial is the best; none, and the tuning has failed."""
        mlflow, found = tracking.client(), self.finished()
        if found:
            number, run = self.best()
            mlflow.set_tag(self.run_id, BEST, str(number))
            for name, value in run.data.metrics.items():
                mlflow.log_metric(self.run_id, name, value)
        mlflow.set_terminated(self.run_id, "FINISHED" if found else "FAILED")

    def _trials(self) -> Iterator[Run]:
        query = f"tags.`mlflow.parentRunId` = '{self.run_id}'"
        found = tracking.client().search_runs([self.experiment_id], query, max_results=10000)
        return iter(found)


def resume(rows: Rows, spec: TuneSpec) -> Study:
    """The study of this run key, begun now if it is not there yet."""
    import mlflow

    experiment, client = mlflow.set_experiment(spec.experiment).experiment_id, tracking.client()
    found = client.search_runs([experiment], f"tags.`{tracking.RUN_KEY}` = '{spec.run}'")
    run = next((run for run in found if TRIAL not in run.data.tags), None)
    if run is None:
        run = client.create_run(experiment, run_name=spec.run, tags=candidate.tags(rows))
    elif run.info.status != "FINISHED":
        client.update_run(run.info.run_id, "RUNNING")
    for name in ("estimator", "trials", "seed", "held_out", "validation", "metric", "search", "parameters"):
        client.log_param(run.info.run_id, name, getattr(spec, name))
    study = Study(spec=spec, run_id=run.info.run_id, experiment_id=experiment)
    study.settle("KILLED")
    return study
