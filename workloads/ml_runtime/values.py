"""Makes a block's values what the schema says: numbers, texts, times or bytes, in numpy's arrays.

A value that is not of its column's kind is refused with the place in its file. Which kind a column has is the
business of ml_runtime.inference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import RunError
from ml_runtime.formats import Block
from ml_runtime.inference import number_pattern
from ml_runtime.schema import TIME, Column, Kind, Schema, written

if TYPE_CHECKING:
    from numpy import ndarray
    from pyarrow import Array

Arrays = dict[str, "ndarray[Any, Any]"]


class Values:
    """Makes arrays of one table's blocks; equal texts are one object, however many rows have them."""

    def __init__(self, schema: Schema, decimal: str) -> None:
        self._schema, self._decimal = schema, decimal
        self._texts: dict[str, dict[str, str]] = {c.name: {} for c in schema.columns if c.kind is Kind.CATEGORY}

    def arrays(self, block: Block) -> Arrays:
        """The columns of the schema, each with its kind's own type.

        Raises:
            RunError: a value is not of the column's kind; names the place in the file, the column and the value.
        """
        import pyarrow

        absent = pyarrow.nulls(block.table.num_rows, pyarrow.string())
        there = set(block.table.column_names)
        return {
            column.name: self._array(
                column, _one(block.table.column(column.name)) if column.name in there else absent, block
            )
            for column in self._schema.columns
        }

    def _array(self, column: Column, values: Array, block: Block) -> ndarray[Any, Any]:
        from pyarrow import types

        if types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if column.kind is Kind.NUMBER:
            return self._numbers(column, values, block)
        if column.kind is Kind.TIME:
            return _times(column, values, block)
        if column.kind is Kind.FILE:
            return _objects(values.to_pylist())
        known = self._texts.get(column.name, {})
        return _objects([None if text is None else known.setdefault(text, text) for text in _texts(values)])

    def _numbers(self, column: Column, values: Array, block: Block) -> ndarray[Any, Any]:
        import numpy
        import pyarrow
        from pyarrow import compute, types

        if types.is_string(values.type) or types.is_large_string(values.type):
            pattern = number_pattern(self._decimal)
            _refuse(
                column, values, block, lambda text: compute.match_substring_regex(text, f"^({pattern})$"), "a number"
            )
            values = compute.replace_substring_regex(values, r"^\+", "")
            if self._decimal != ".":
                values = compute.replace_substring(values, self._decimal, ".")
        try:
            numbers = values.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as other:
            raise RunError(
                f"{block.place(0)}, column {column.name!r} has values of type {values.type}, no numbers"
            ) from other
        endless = numpy.isinf(numbers)
        if endless.any():
            row = int(endless.argmax())
            raise RunError(f"{block.place(row)}, column {column.name!r}: {numbers[row]} is no finite number; mend it")
        return numpy.array(numbers, dtype="float64")


def _one(values: Any) -> Array:
    """The chunks of a column as one."""
    import pyarrow

    return values.chunk(0) if values.num_chunks == 1 else pyarrow.concat_arrays(values.chunks)


def _refuse(column: Column, values: Array, block: Block, fits: Callable[[Array], Any], rule: str) -> None:
    from pyarrow import compute

    row = compute.index(fits(values), False).as_py()
    if row >= 0:
        raise RunError(f"{block.place(row)}, column {column.name!r}: {values[row].as_py()!r} is not {rule}")


def _times(column: Column, values: Array, block: Block) -> ndarray[Any, Any]:
    import pandas
    import pyarrow
    from pyarrow import compute, types

    if types.is_string(values.type) or types.is_large_string(values.type):
        rule = "a time by ISO 8601, like 2026-11-29T21:00:00Z"
        _refuse(column, values, block, lambda text: compute.match_substring_regex(text, f"^({TIME})$"), rule)
        read = pandas.to_datetime(
            pandas.Series(values.to_pylist(), dtype=object), utc=True, errors="coerce", format="ISO8601"
        )
        _refuse(
            column, values, block, lambda text: compute.or_(compute.is_null(text), pyarrow.array(read.notna())), rule
        )
    elif not types.is_temporal(values.type):
        raise RunError(f"{block.place(0)}, column {column.name!r} has values of type {values.type}, no times")
    else:
        zone = getattr(values.type, "tz", None)
        as_utc = values.cast(pyarrow.timestamp("ns", tz=zone)).cast(pyarrow.timestamp("ns", tz="UTC"))
        read = pandas.Series(as_utc.to_numpy(zero_copy_only=False)).dt.tz_localize("UTC")
    naive: ndarray[Any, Any] = read.astype("datetime64[ns, UTC]").dt.tz_localize(None).to_numpy()
    return naive


def _texts(values: Array) -> list[str | None]:
    from pyarrow import types

    if types.is_floating(values.type) or types.is_integer(values.type):
        return [None if value is None or value != value else written(value) for value in values.to_pylist()]
    return [None if value is None else written(value) for value in values.to_pylist()]


def _objects(values: list[Any]) -> ndarray[Any, Any]:
    import numpy

    array = numpy.empty(len(values), dtype=object)
    array[:] = values
    return array
