"""Trains a model, or tunes one, and logs it to MLflow for its gate to judge.

The run carries the run key as a tag. A second try with the same key takes the run that finished; what a killed try
left unfinished is marked as such, or gone on with. Training code of one's own is a program that ends in

    sys.exit(train.main(fit))

with `fit(features: DataFrame, target: Series, parameters: Mapping, seed: int)`, which gives back a fitted estimator
of scikit-learn, XGBoost or LightGBM, a module of PyTorch, a model of ONNX, or an mlflow.pyfunc.PythonModel. A tuning
calls it for each trial with the trial's parameters, and a training over several workers in each of their processes,
which torch.distributed has joined.

    sys.exit(train.main(by_batches=fit))

with `fit(batches: Batches, parameters: Mapping, seed: int)` learns from more rows than memory holds: `for features,
target in batches` goes through all training rows, as often as it is written, and `batches.classes` are all classes. The
data's `sample` bounds what is held of them beside that, for folds, trials and the scores on training rows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ml_runtime import (
    candidate,
    checkpoints,
    command,
    fitting,
    folds,
    learning_spec,
    own_code,
    tracking,
    tune,
    tune_spec,
    workers,
)
from ml_runtime.candidate import Candidate
from ml_runtime.fitting import BatchFit, Fit, Program
from ml_runtime.learning_spec import TrainSpec
from ml_runtime.made import Fitted
from ml_runtime.own_code import NONE
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.tune_spec import TuneSpec
from ml_runtime.verdict import Verdict

if TYPE_CHECKING:
    from mlflow.entities import Run


def train(spec: TrainSpec, program: Program) -> Run | None:
    """The finished MLflow run of this run key, trained now if it is not there yet; None in all processes of a training
    but the first.

    Raises:
        RunError: the data, the code or the settings are not what they must be.
        AwayError: a service was away for too long.
    """
    program.check(spec, spec.parameters)
    with workers.joined(os.environ) as group:
        experiment_id, done = _begun(spec) if group.first else ("", None)
        if group.told(done is not None):
            return done
        with program.table(spec) as rows:
            table = rows[0]
            group.agree("the data", table.sha256)
            checkpoints.begin(spec.checkpoints, spec.run, spec.patience, writes=group.first)
            fit = program.of(spec, table.schema, spec.parameters)
            numbers = folds.scores(spec, table, fit)
            model = fitting.whole(fit, spec, rows, spec.parameters)
    if not group.first:
        return None
    made = Candidate(
        spec=spec,
        table=table,
        model=Fitted(model=model, program=program, by=spec.estimator),
        parameters=spec.parameters,
        numbers=numbers,
    )
    return candidate.log(made, experiment_id)


def _begun(spec: TrainSpec) -> tuple[str, Run | None]:
    return patiently("MLflow", spec.patience, lambda: tracking.begun(spec.experiment, spec.run))


def parse(raw: Any) -> TrainSpec | TuneSpec:
    """A description of either: a tuning has a `space`.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    return tune_spec.parse(raw) if isinstance(raw, Mapping) and "space" in raw else learning_spec.parse(raw)


def main(fit: Fit | None = None, trusted: Sequence[str] = (), *, by_batches: BatchFit | None = None) -> int:
    """The command; `fit` or `by_batches` is the training code of a program of one's own, `trusted` names what its
    models are made of beside the libraries that every server has."""
    own = fit or by_batches
    program = Program(fit=fit, by_batches=by_batches, code=own_code.of(own) if own else NONE, trusted=tuple(trusted))

    def work(spec: TrainSpec | TuneSpec) -> Verdict | None:
        limit_client_retries()
        run = tune.tune(spec, program) if isinstance(spec, TuneSpec) else train(spec, program)
        return candidate.verdict(spec, run) if run else None

    return command.run("ml_runtime.train", __doc__, parse, work)


if __name__ == "__main__":
    sys.exit(main())
