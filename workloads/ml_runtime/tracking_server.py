"""MLflow's server in one process: UI, tracking, registry, artifacts by proxy.

`mlflow server` would wait beside its worker with 200 MiB of its own. This does what it does for one worker, takes the
same environment variables, and leaves out the jobs that it would start in further processes. It changes no schema:
that is ml_runtime.migrate, for which it waits.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

from ml_runtime.command import finish
from ml_runtime.connections import IDLE_SECONDS
from ml_runtime.errors import RunError
from ml_runtime.migrate import wait_for_schema


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What the server's application reads, from what `mlflow server` documents.

    Raises:
        RunError: the database or the place of the artifacts is not named.
    """
    from mlflow.server import constants

    wanted = {
        constants.BACKEND_STORE_URI_ENV_VAR: "MLFLOW_BACKEND_STORE_URI",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: "MLFLOW_ARTIFACTS_DESTINATION",
    }
    if missing := [public for public in wanted.values() if not given.get(public)]:
        raise RunError(
            f"{missing[0]} is not set; it names {'the database' if 'STORE' in missing[0] else 'an S3 folder'}"
        )
    return {
        **{internal: given[public] for internal, public in wanted.items()},
        constants.REGISTRY_STORE_URI_ENV_VAR: given["MLFLOW_BACKEND_STORE_URI"],
        # A version whose source is models:/<id> is looked up by a client inside the server, which would look into a
        # file of its own otherwise.
        "MLFLOW_TRACKING_URI": given["MLFLOW_BACKEND_STORE_URI"],
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.tracking_server", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("MLFLOW_HOST", "127.0.0.1"), help="default: MLFLOW_HOST")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("MLFLOW_PORT", "5000")), help="default: MLFLOW_PORT"
    )
    parser.add_argument("--patience", type=float, default=600, help="seconds to wait for the database's schema")
    options = parser.parse_args()

    def work() -> None:
        os.environ.update(environment(os.environ))
        import uvicorn
        from mlflow.server.fastapi_app import app

        wait_for_schema(os.environ["MLFLOW_BACKEND_STORE_URI"], options.patience)
        uvicorn.run(app, host=options.host, port=options.port, access_log=False, timeout_keep_alive=IDLE_SECONDS)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
