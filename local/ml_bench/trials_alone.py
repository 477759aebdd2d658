"""A tuning's trials after each other in one process without Ray: the program of the pod that `tuning` starts.

It runs in the image of the tuning, from its text, and owns no figure. Its argument is what the key of the tuning's
run is made another one by.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from ml_runtime import candidate, search, spec, study, tables, tracking, trial, tune_spec
from ml_runtime.fitting import Program
from ml_runtime.study import Trial
from ml_runtime.trial import Trials


def main(suffix: str) -> None:
    told = tune_spec.parse(spec.read(spec.PATH))
    told = replace(told, run=told.run + suffix, verdict=None)
    table = tables.read(told.data, told.patience)
    fit = Program().of(told, table.schema, {**told.parameters, **search.examples(told.space)[0]})
    parts, domains = trial.split(told, table), search.domains(told.space)
    experiment_id, _ = tracking.begun(told.experiment, told.run)
    found = study.resume(told, experiment_id, candidate.tags(told, table))
    for _ in range(told.trials):
        drawn = {name: domain.sample() for name, domain in domains.items()}
        *_, (step, score) = Trials(spec=told, fit=fit).run(parts, drawn)
        found.add(Trial(parameters=drawn, score=score, step=step))


if __name__ == "__main__":
    main(sys.argv[1])
