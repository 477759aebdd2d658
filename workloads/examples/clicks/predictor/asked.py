"""What a request asks, whichever protocol it is of: a table of raw columns, and an answer of the same kind.

It knows no model and no server; a request of protocol v1 is a dict, one of protocol v2 has `inputs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import pandas


class RefusedError(ValueError):
    """The request does not fit; the message says what to change."""


def table(payload: Any, columns: Sequence[str]) -> pandas.DataFrame:
    """The rows that are asked about, with these columns.

    Raises:
        RefusedError: a column is missing, or columns are of different lengths.
    """
    found = _rows(payload) if isinstance(payload, Mapping) else _tensors(payload.inputs)
    if missing := [name for name in columns if name not in found]:
        raise RefusedError(f"missing: {', '.join(missing)}; the model takes {', '.join(columns)}")
    lengths = {name: len(found[name]) for name in columns}
    if len({*lengths.values()}) > 1:
        raise RefusedError(f"the columns have different numbers of rows: {lengths}")
    return pandas.DataFrame({name: found[name] for name in columns})


def _rows(payload: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    """Of protocol v1: `instances` is a list of rows, and `inputs` a list of tables, each a list of values by column."""
    if not isinstance(payload.get("instances", payload.get("inputs")), list):
        raise RefusedError(f"the request has {sorted(payload)}; it needs a list of `instances`, or of `inputs`")
    entries = payload.get("instances", payload.get("inputs", []))
    if not entries or not all(isinstance(each, Mapping) for each in entries):
        raise RefusedError('each row is an object with a value for each column: [{"price": 1.5, ...}]')
    tables = [{name: _listed(value) for name, value in each.items()} for each in entries]
    if others := [number for number, each in enumerate(tables) if each.keys() != tables[0].keys()]:
        raise RefusedError(f"entry {others[0]} has other columns than the first: {sorted(tables[others[0]])}")
    return {name: [value for each in tables for value in each[name]] for name in tables[0]}


def _tensors(inputs: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """Of protocol v2: one tensor for each column."""
    return {each.name: [_text(value) for value in numpy.asarray(each.as_numpy()).ravel().tolist()] for each in inputs}


def _listed(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list) else [value]


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
