"""Brings the schema of MLflow's database to this image's version: `mlflow db upgrade`, as a step of its own.

Waits for the database. A second run finds nothing to do; what a killed one had begun is rolled back or gone on with.
"""

from __future__ import annotations

import argparse
import os
import sys

from ml_runtime.command import finish
from ml_runtime.errors import RunError
from ml_runtime.patience import patiently


def migrate(uri: str, patience: float) -> None:
    """Wait for the database, then upgrade its schema.

    Raises:
        RunError: the database was away for too long, or refuses the role.
    """
    patiently("the database", patience, lambda: _connect(uri))
    from mlflow.db import upgrade

    upgrade.main([uri], standalone_mode=False)


def _connect(uri: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    engine = create_engine(uri, connect_args={"connect_timeout": 5} if uri.startswith("postgresql") else {})
    try:
        engine.connect().close()
    except OperationalError as failure:
        # A role whose password is not set yet is refused too, while the database's own start goes on.
        raise ConnectionError(str(failure.orig).strip()) from failure
    finally:
        engine.dispose()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.migrate", description=__doc__)
    parser.add_argument(
        "--uri", default=os.environ.get("MLFLOW_BACKEND_STORE_URI"), help="default: MLFLOW_BACKEND_STORE_URI"
    )
    parser.add_argument("--patience", type=float, default=180, help="seconds to wait for the database")
    options = parser.parse_args()

    def work() -> None:
        if not options.uri:
            raise RunError("no database: set MLFLOW_BACKEND_STORE_URI, or give --uri")
        migrate(options.uri, options.patience)
        print("the schema is at this version of MLflow", flush=True)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
