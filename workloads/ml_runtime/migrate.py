"""Brings the schema of MLflow's database to this image's version: `mlflow db upgrade`, as a step of its own.

Waits for the database. A second run finds nothing to do; what a killed one had begun is rolled back or gone on with.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ml_runtime.command import finish
from ml_runtime.errors import RunError
from ml_runtime.patience import patiently

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHORT_PAUSE = 1.0  # seconds: others wait for this step


def migrate(uri: str, patience: float) -> None:
    """Wait for the database, then upgrade its schema.

    Raises:
        RunError: the database was away for too long, or refuses the role.
    """
    patiently("the database", patience, lambda: _connect(uri), SHORT_PAUSE)
    from mlflow.db import upgrade

    upgrade.main([uri], standalone_mode=False)


def wait_for_schema(uri: str, patience: float) -> None:
    """Wait until a migration has brought the schema to this image's version.

    Raises:
        RunError: it is not there in time, or the database refuses the role.
    """
    patiently("the schema of this version of MLflow", patience, lambda: _check_schema(uri), SHORT_PAUSE)


def _connect(uri: str) -> None:
    with _connection(uri):
        return


def _check_schema(uri: str) -> None:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from mlflow.store import db_migrations

    wanted = ScriptDirectory(str(Path(db_migrations.__file__).parent)).get_current_head()
    with _connection(uri) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise ConnectionError(f"it is at {found or 'no version'}, and {wanted} is wanted")


@contextmanager
def _connection(uri: str) -> Iterator[Connection]:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    engine = create_engine(uri, connect_args={"connect_timeout": 5} if uri.startswith("postgresql") else {})
    try:
        with engine.connect() as connection:
            yield connection
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
