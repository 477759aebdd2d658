"""Tunes a model: trials by Ray Tune, of which the best is fitted again on all training rows and goes to its gate.

A second try with the same key goes on where the first was cut off: what has ended is not run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_runtime import candidate, fitting, ray_tune, search, study, tracking, trial
from ml_runtime.candidate import Candidate
from ml_runtime.fitting import Program
from ml_runtime.made import Fitted
from ml_runtime.patience import patiently
from ml_runtime.study import Study
from ml_runtime.trial import Trials
from ml_runtime.tune_spec import TuneSpec

if TYPE_CHECKING:
    from mlflow.entities import Run


def tune(spec: TuneSpec, program: Program) -> Run:
    """The finished MLflow run of this run key, tuned now if it is not there yet.

    Raises:
        RunError: the data, the code or the settings are not what they must be, or no trial has finished.
        AwayError: a service was away for too long.
    """
    tried = [{**spec.parameters, **example} for example in search.examples(spec.space)]
    for parameters in tried:
        program.check(spec, parameters)
    experiment_id, done = patiently("MLflow", spec.patience, lambda: tracking.begun(spec.experiment, spec.run))
    if done:
        return done
    with program.table(spec) as rows:
        table = rows[0]
        fit, parts = program.of(spec, table.schema, tried[0]), trial.split(spec, table)
        tags = candidate.tags(spec, table)
        found = patiently("MLflow", spec.patience, lambda: study.resume(spec, experiment_id, tags))
        if len(found.trials) < spec.trials:
            ray_tune.run(found, Trials(spec=spec, fit=fit), parts)
        number, best = found.chosen()
        chosen = {**spec.parameters, **best.parameters}
        model = fitting.whole(fit, spec, rows, chosen)
    numbers = _numbers(found, number)
    made = Candidate(
        spec=spec,
        table=table,
        model=Fitted(model=model, program=program, by=spec.estimator),
        parameters=chosen,
        numbers=numbers,
    )
    return candidate.log(made, experiment_id, found.run_id)


def _numbers(found: Study, best: int) -> Mapping[str, Any]:
    failed = sum(each.score is None for each in found.trials)
    score = found.trials[best - 1].score
    return {
        "trials": len(found.trials),
        "failed_trials": failed,
        "best_trial": best,
        f"validation_{found.spec.metric}": score,
    }
