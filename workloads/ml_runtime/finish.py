"""After the program of an image of a user's own: takes the model that it has saved, scores it, and logs it to MLflow.

A second try with the same key takes the run that finished, whatever the program has saved since. Of several workers,
which the variable ML_WORKER numbers, the first one's model counts, and the others end here.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ml_runtime import candidate, command, handover, learning_spec, tracking
from ml_runtime.candidate import Candidate
from ml_runtime.handover import Handover
from ml_runtime.learning_spec import ImageSpec
from ml_runtime.made import Saved
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.verdict import Verdict

if TYPE_CHECKING:
    from mlflow.entities import Run


WORKER = "ML_WORKER"


def finish(spec: ImageSpec, files: Handover) -> Run:
    """The finished MLflow run of this run key, logged now if it is not there yet.

    Raises:
        RunError: there is no model, or none that can be asked.
        AwayError: a service was away for too long.
    """
    experiment_id, done = patiently("MLflow", spec.patience, lambda: tracking.begun(spec.experiment, spec.run))
    if done:
        return done
    made = Candidate(
        spec=spec,
        table=handover.read(files),
        model=Saved(
            folder=files.model,
            by="the program of the image",
            place="the folder that ML_MODEL names",
            named={"image": spec.image},
        ),
        parameters=spec.parameters,
        numbers={},
    )
    return candidate.log(made, experiment_id)


def main() -> int:
    """The command."""

    def work(spec: ImageSpec) -> Verdict:
        limit_client_retries()
        return candidate.verdict(spec, finish(spec, Handover.of(os.environ)))

    if os.environ.get(WORKER, "0") != "0":
        print("the first worker's model is the candidate", flush=True)
        return 0
    return command.run("ml_runtime.finish", __doc__, learning_spec.parse_image, work)


if __name__ == "__main__":
    sys.exit(main())
