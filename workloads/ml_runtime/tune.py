"""Tunes a model: trials by Ray Tune, each a candidate in MLflow, of which the best goes to its gate.

A second try with the same key goes on where the first was cut off: what has finished is not run again.
"""

from __future__ import annotations

import dataclasses
import sys

from ml_runtime import candidate, command, estimators, ray_tune, search, study, trial, tune_spec
from ml_runtime.errors import RunError
from ml_runtime.learning_spec import CandidateVerdict
from ml_runtime.metrics import Task
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.progress import Progress
from ml_runtime.study import Study
from ml_runtime.tune_spec import TuneSpec


def tune(spec: TuneSpec) -> CandidateVerdict:
    """Do the trials that are left; the verdict on the best of all.

    Raises:
        RunError: the data are not what the description says, no trial has finished, or a service was away for too long.
    """
    limit_client_retries()
    rows = trial.split(candidate.read(spec), spec.validation)
    if spec.task is Task.CLASSIFICATION:
        estimators.check_classes(spec.estimator, list(rows.target(rows.training)))
    found, progress = patiently("MLflow", spec.patience, lambda: study.resume(rows, spec)), Progress(spec)
    left = search.draw(search.samplers(spec.search, spec.seed), spec.trials)
    done = patiently("MLflow", spec.patience, found.finished)
    for number in sorted(done.keys() & left):
        progress.finished(number, found.score(done[number]), when=" in an earlier try")
        del left[number]
    if left:
        ray_tune.run(spec, left, lambda number, chosen: trial.run(found, rows, number, chosen), progress)
    return patiently("MLflow", spec.patience, lambda: verdict_of(found, progress))


def verdict_of(found: Study, progress: Progress) -> CandidateVerdict:
    """Ends the study; what came of it.

    Raises:
        RunError: no trial has finished.
    """
    found.settle("FAILED")
    spec, done = found.spec, found.finished()
    found.close()
    if not done:
        number, why = min(progress.failures.items())
        raise RunError(f"none of {spec.trials} trials has finished; trial {number}: {why}")
    number, run = found.best()
    score = f"{spec.metric} {found.score(run):.4f}"
    return dataclasses.replace(
        candidate.verdict(spec, run),
        reason=f"trial {number} is the best of {len(done)} that have finished, of {spec.trials}: {score}",
        numbers={**run.data.metrics, "trials": float(spec.trials), "failed_trials": float(spec.trials - len(done))},
    )


def main() -> int:
    """The command."""
    return command.run("ml_runtime.tune", __doc__, tune_spec.parse, tune)


if __name__ == "__main__":
    sys.exit(main())
