"""A tuning's trials after each other in one process without Ray: the program of the pod that `tuning` starts.

It runs in the image of the training, from its text, and owns no figure. Its argument is what the key of the tuning's
run is made another one by.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from ml_runtime import candidate, search, spec, study, trial, tune_spec


def main(suffix: str) -> None:
    told = tune_spec.parse(spec.read(spec.PATH))
    told = replace(told, run=told.run + suffix, verdict=None)
    rows = trial.split(candidate.read(told), told.validation)
    found = study.resume(rows, told)
    for number, chosen in search.draw(search.samplers(told.search, told.seed), told.trials).items():
        trial.run(found, rows, number, chosen)
    found.close()


if __name__ == "__main__":
    main(sys.argv[1])
