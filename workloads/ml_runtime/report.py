"""The report that lies beside a table of an ETL run: what is in it, and by which digest to know it again.

It is written last of all, and checked by whatever reads the table: a folder without one is unfinished.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ml_runtime.errors import RunError
from ml_runtime.schema import Schema

NAME = "_report.json"  # Spark takes no file for data whose name starts so


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """Of a folder of parquet files."""

    run: str
    schema: Schema
    rows: int
    refused: int
    classes: Mapping[str, int]
    """How many rows of each; none without a target, and of a regression."""
    ranges: Mapping[str, tuple[float, float]]
    """The least and the greatest value of each column of numbers."""
    parts: Mapping[str, str]
    """The sha256 of each file."""
    sha256: str
    """digest() of them."""

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "schema": json.loads(self.schema.to_json())}, indent=2, sort_keys=True)


def digest(parts: Mapping[str, str]) -> str:
    """One digest of all files, whatever they are named: the names are made up by Spark."""
    return hashlib.sha256("\n".join(sorted(parts.values())).encode()).hexdigest()


def parse(content: bytes, place: str) -> DataReport:
    """The report found at `place`.

    Raises:
        RunError: it is no report, or its parts are not those of its digest.
    """
    try:
        found = json.loads(content)
        schema = Schema.from_json(json.dumps(found.pop("schema")))
        report = DataReport(schema=schema, **found)
    except (ValueError, KeyError, TypeError, AttributeError, RunError) as broken:
        raise RunError(f"{place} has no report of an ETL run ({broken!r}); remove it and run the ETL again") from broken
    if digest(report.parts) != report.sha256:
        raise RunError(f"{place} contradicts itself: its parts are not those of its digest; run the ETL again")
    return report
