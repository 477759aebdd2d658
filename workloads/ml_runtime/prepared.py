"""Reads the table that a run is to learn from: one object, or the folder that an ETL run has left.

A folder is believed only as far as its report goes: whoever changes a file after the run is found out.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence

from ml_runtime import report, store
from ml_runtime.dataset import to_csv
from ml_runtime.errors import RunError
from ml_runtime.report import DataReport
from ml_runtime.spec import DataObject


def read(source: DataObject, columns: Sequence[str]) -> bytes:
    """The table as a headerless CSV.

    Raises:
        RunError: it is not there, or is not what its digest or its report says.
    """
    return _folder(source, columns) if source.key.endswith("/") else store.read(source)


def _folder(source: DataObject, columns: Sequence[str]) -> bytes:
    place = f"s3://{source.bucket}/{source.key}"
    found = report.parse(store.read(dataclasses.replace(source, key=source.key + report.NAME, sha256=None)), place)
    if source.sha256 not in (None, found.sha256):
        raise RunError(
            f"{place} has the digest {found.sha256}, not {source.sha256}: another ETL run has written there since. "
            "Give each its own `output`, or run that one again."
        )
    if found.columns != tuple(columns):
        raise RunError(f"{place} has the columns {list(found.columns)}, not {list(columns)}; name those it has")
    rows = [row for name in sorted(found.parts) for row in _part(source, found, name)]
    if len(rows) != found.rows:
        raise RunError(f"{place} has {len(rows)} rows, and {found.rows} by its report; run the ETL again")
    return to_csv(rows)


def _part(source: DataObject, found: DataReport, name: str) -> list[list[str]]:
    """The rows of one file, without its header."""
    part = dataclasses.replace(source, key=source.key + name, sha256=found.parts[name])
    rows = list(csv.reader(io.StringIO(store.read(part).decode())))
    if rows and tuple(rows[0]) != found.columns:
        raise RunError(f"s3://{part.bucket}/{part.key} has the header {rows[0]}; its report says {found.columns}")
    return rows[1:]
