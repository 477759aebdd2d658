"""The test rows as a run keeps them in MLflow: one CSV, the same bytes from the same rows on every machine.

Its gate reads them in the serving image, which has pandas and no other reader of tables. Nothing is missing from what
is written: an empty field is a missing value, an empty text is a backslash, and so is the sign before a text that
begins with one. Rows that belong to groups have the numbers of these beside them. The module owns these bytes; which
rows they are is the business of ml_runtime.tables.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import RunError
from ml_runtime.schema import Column, Kind, Schema

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame, Series

BLOCK = 10_000


def to_csv(frame: DataFrame, schema: Schema) -> bytes:
    """The rows, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(schema.names)
    for start in range(0, len(frame), BLOCK):
        block = frame.iloc[start : start + BLOCK]
        writer.writerows(zip(*(_written(column, block[column.name]) for column in schema.columns), strict=True))
    return text.getvalue().encode()


def groups(hashes: ndarray[Any, Any] | None) -> bytes | None:
    """The group of each row as a list of numbers from 0, where rows have one."""
    import numpy

    return None if hashes is None else json.dumps(numpy.unique(hashes, return_inverse=True)[1].tolist()).encode()


def from_csv(content: bytes, schema: Schema) -> DataFrame:
    """The rows that `to_csv` wrote, with the types of their kinds.

    Raises:
        RunError: they are not those of this schema.
    """
    import pandas

    csv.field_size_limit(sys.maxsize)
    lines = csv.reader(io.StringIO(content.decode(), newline=""))
    header = next(lines, [])
    if header != schema.names:
        raise RunError(f"the test rows have the columns {header}, and {schema.names} by their schema")
    blocks = [_block(rows, schema) for rows in _blocks(lines)]
    return pandas.concat(blocks or [_block([], schema)], ignore_index=True)


def _blocks(lines: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while rows := list(islice(lines, BLOCK)):
        yield rows


def _block(rows: Sequence[Sequence[str]], schema: Schema) -> DataFrame:
    import pandas

    try:
        fields = list(zip(*rows, strict=True)) or [()] * len(schema.columns)
        read = {column.name: _read(column, texts) for column, texts in zip(schema.columns, fields, strict=True)}
    except ValueError as broken:
        raise RunError(f"the test rows are not those of their schema: {broken}") from broken
    return pandas.DataFrame(read)


def _written(column: Column, values: Series) -> list[str]:
    if column.kind is Kind.TIME:
        return ["" if value != value else value.isoformat() for value in values]
    if column.kind is Kind.NUMBER:
        return ["" if value != value else repr(value) for value in values.tolist()]
    if column.kind is Kind.FILE:
        return ["" if value is None else _escaped(base64.b64encode(value).decode()) for value in values]
    return ["" if value is None else _escaped(value) for value in values]


def _escaped(text: str) -> str:
    return f"\\{text}" if text == "" or text.startswith("\\") else text


def _read(column: Column, texts: Sequence[str]) -> Any:
    import pandas

    if column.kind is Kind.TIME:
        present = pandas.Series([text or None for text in texts], dtype=object)
        return pandas.to_datetime(present, utc=True, format="ISO8601").astype("datetime64[ns, UTC]")
    if column.kind is Kind.NUMBER:
        return pandas.Series([float(text or "nan") for text in texts]).astype("int64" if column.whole else "float64")
    if column.kind is Kind.FILE:
        return pandas.Series(
            [base64.b64decode(text.removeprefix("\\")) if text else None for text in texts], dtype=object
        )
    return pandas.Series([text.removeprefix("\\") if text else None for text in texts], dtype=object)
