"""A tuning's record in MLflow: one run of its key, and below it one for each trial that has ended.

It is what a tuning that was cut off goes on from: a trial is written when it has ended, with all that a searcher
needs to know of it. Which trial is run next, and how, is the business of ml_runtime.ray_tune.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from ml_runtime import tracking
from ml_runtime.errors import RunError
from ml_runtime.metrics import METRICS
from ml_runtime.patience import patiently
from ml_runtime.rounds import ALL
from ml_runtime.tune_spec import TuneSpec

if TYPE_CHECKING:
    from mlflow.entities import Run

TRIAL = "ml-platform.trial"
"""The tag of a trial's run with its number."""
PARAMETERS = "ml-platform.parameters"
"""The tag with the parameters that were drawn for it, as JSON."""
FAILURE = "ml-platform.failure"
STEP = "step"
"""The metric of how far a trial came: less than ALL where it was ended early."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One that has ended."""

    parameters: Mapping[str, Any]
    """Those that were drawn for it."""
    score: float | None = None
    """On the rows that trials are compared on; None of one that failed."""
    step: int = ALL
    failure: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Study:
    """One tuning's."""

    spec: TuneSpec
    experiment_id: str
    run_id: str
    """Of the run above the trials', which becomes the candidate's."""
    trials: list[Trial]
    """In the order in which they ended."""

    def add(self, trial: Trial) -> None:
        """Keep a trial that has ended, and say so with the best so far."""
        self.trials.append(trial)
        number = len(self.trials)
        patiently("MLflow", self.spec.patience, lambda: self._log(number, trial))
        print(f"trial {number} of {self.spec.trials}: {self._said(trial)}", flush=True)

    def best(self) -> tuple[int, Trial] | None:
        """The number of the best one that came to its end, and it; of equal ones the first."""
        metric, best = METRICS[self.spec.metric], None
        for number, trial in enumerate(self.trials, 1):
            if trial.score is None or trial.step != ALL or not isfinite(trial.score):
                continue
            if best is None or metric.better(trial.score, best[1].score or 0.0):
                best = number, trial
        return best

    def chosen(self) -> tuple[int, Trial]:
        """The best one.

        Raises:
            RunError: no trial has finished; the first failure is named.
        """
        if best := self.best():
            return best
        why = next(
            (f"trial {number}: {each.failure}" for number, each in enumerate(self.trials, 1) if each.failure), ""
        )
        raise RunError(f"none of {self.spec.trials} trials has finished with a score; {why or 'none was run'}")

    def _said(self, trial: Trial) -> str:
        if trial.score is None:
            return f"failed: {trial.failure}"
        early = "" if trial.step == ALL else " when it was ended early"
        best = self.best()
        words = f"; the best is trial {best[0]} with {best[1].score:.4f}" if best else ""
        return f"{self.spec.metric} {trial.score:.4f}{early}{words}"

    def _log(self, number: int, trial: Trial) -> None:
        """In few requests: the trials of others wait meanwhile."""
        from mlflow.entities import Metric, Param

        now, client = int(time.time() * 1000), tracking.client()
        tags = {
            "mlflow.parentRunId": self.run_id,
            TRIAL: str(number),
            PARAMETERS: json.dumps(trial.parameters),
            **({FAILURE: trial.failure} if trial.failure else {}),
        }
        started, name = now - int(trial.seconds * 1000), f"{self.spec.run}-{number}"
        run = client.create_run(self.experiment_id, start_time=started, tags=tags, run_name=name)
        scores = {} if trial.score is None else {f"validation_{self.spec.metric}": trial.score, STEP: trial.step}
        client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, now, 0) for name, value in scores.items()],
            params=[Param(name, str(value)) for name, value in trial.parameters.items()],
        )
        client.set_terminated(run.info.run_id, "FAILED" if trial.score is None else "FINISHED")


def resume(spec: TuneSpec, experiment_id: str, tags: Mapping[str, str]) -> Study:
    """The study of this run key, begun now if there is none; what was cut off goes on."""
    begun = [run for run in tracking.runs(experiment_id, spec.run) if run.info.status != "FINISHED"]
    if begun:
        run_id = begun[0].info.run_id
        tracking.client().update_run(run_id, "RUNNING")
    else:
        run_id = tracking.client().create_run(experiment_id, run_name=spec.run, tags=dict(tags)).info.run_id
    return Study(spec=spec, experiment_id=experiment_id, run_id=run_id, trials=_trials(spec, experiment_id, run_id))


def _trials(spec: TuneSpec, experiment_id: str, run_id: str) -> list[Trial]:
    query = f"tags.`mlflow.parentRunId` = '{run_id}'"
    found = tracking.client().search_runs([experiment_id], query, max_results=10000)
    ended = (run for run in found if run.info.status in ("FINISHED", "FAILED"))
    by_number = {int(run.data.tags[TRIAL]): run for run in ended if TRIAL in run.data.tags}
    return [_trial(spec, by_number[number]) for number in sorted(by_number)]


def _trial(spec: TuneSpec, run: Run) -> Trial:
    return Trial(
        parameters=json.loads(run.data.tags[PARAMETERS]),
        score=run.data.metrics.get(f"validation_{spec.metric}"),
        step=int(run.data.metrics.get(STEP, ALL)),
        failure=run.data.tags.get(FAILURE, ""),
    )
