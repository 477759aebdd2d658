"""Before the program of an image of a user's own: reads the data as every training does, and writes its training rows.

What of MLflow would fail afterwards is said before that program has begun. The run's own result is not looked for: the
program runs in any case, since nothing can take a container out of its pod.
"""

from __future__ import annotations

import os
import sys

from ml_runtime import command, handover, learning_spec, tables, tracking
from ml_runtime.handover import Handover
from ml_runtime.learning_spec import ImageSpec
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.spec import PATH, read


def prepare(spec: ImageSpec, files: Handover) -> None:
    """Write the files of this run.

    Raises:
        RunError: the data or the settings are not what they must be.
        AwayError: a service was away for too long.
    """
    patiently("MLflow", spec.patience, lambda: tracking.experiment(spec.experiment))
    handover.write(files, spec, tables.read(spec.data, spec.patience))


def main() -> int:
    """The command."""
    path = command.arguments("ml_runtime.prepare", __doc__, PATH)

    def prepared() -> None:
        limit_client_retries()
        prepare(learning_spec.parse_image(read(path)), Handover.of(os.environ))

    return command.finish(prepared)


if __name__ == "__main__":
    sys.exit(main())
