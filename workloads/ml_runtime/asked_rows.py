"""The requests to a model as rows, beside the rows that it was judged by: the same columns, comparable by statistics.

Numbers and categories are compared as they are, and texts by their length; times and files are not. It owns what makes
two tables comparable; what is found by comparing them is the business of ml_runtime.drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ml_runtime.recorded import Answered
from ml_runtime.schema import Column, Kind, written

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from ml_runtime.taken import Taken

PREDICTION = "prediction"
"""The column of answers; where a model was judged, that of what was right."""
LENGTH = "length of "


@dataclass(kw_only=True)
class AskedRows:
    """Rows of all requests, by column, and whose they are."""

    names: Sequence[str]
    columns: dict[str, list[Any]] = field(default_factory=dict)
    keys: list[tuple[str, int]] = field(default_factory=list)
    """The id of the request that a row is of, and its place there."""
    several: set[str] = field(default_factory=set)
    """The ids of requests with more than one row."""

    def add(self, asked: Answered) -> None:
        """All rows of a request. A column that it does not have is missing there."""
        count = max((len(values) for values in asked.request.values()), default=0)
        answers = [values for values in asked.answer.values() if len(values) == count]
        for name in self.names:
            self.columns.setdefault(name, []).extend(_column(asked.request.get(name), count))
        self.columns.setdefault(PREDICTION, []).extend(_column(answers[0] if len(answers) == 1 else None, count))
        self.keys.extend((asked.id, row) for row in range(count))
        if count > 1:
            self.several.add(asked.id)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def answers(self) -> Mapping[tuple[str, int], Any]:
        """What was answered to each row, where it is one value."""
        found = zip(self.keys, self.columns.get(PREDICTION, []), strict=True)
        return {key: value for key, value in found if value is not None and not isinstance(value, list)}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two tables with the same columns, of which each is a number or a category."""

    reference: DataFrame
    current: DataFrame
    numbers: Sequence[str]
    categories: Sequence[str]
    left_out: Sequence[str]
    """Columns of which nothing is kept, or that are not compared."""


def compared(rows: AskedRows, features: DataFrame, target: Iterable[Any], model: Taken) -> Compared:
    """The requests beside the rows that the model was judged by, `features` with their `target`."""
    import pandas

    found: dict[str, tuple[Series, Series]] = {}
    left_out: list[str] = []
    numbers: list[str] = []
    categories: list[str] = []
    columns = [*model.features.columns, Column(PREDICTION, model.schema.column(model.target).kind)]
    judged = features.assign(**{PREDICTION: [*target]})
    for column in columns:
        name = f"{LENGTH}{column.name}" if column.kind is Kind.TEXT else column.name
        if column.kind in (Kind.TIME, Kind.FILE):
            left_out.append(column.name)
            continue
        sides = [_typed(column, values) for values in (judged[column.name], rows.columns.get(column.name, []))]
        if any(each.notna().sum() == 0 for each in sides):
            left_out.append(column.name)
            continue
        found[name] = (sides[0], sides[1])
        (categories if column.kind is Kind.CATEGORY else numbers).append(name)
    reference, current = (pandas.DataFrame({name: pair[side] for name, pair in found.items()}) for side in (0, 1))
    return Compared(reference=reference, current=current, numbers=numbers, categories=categories, left_out=left_out)


def _column(values: Sequence[Any] | None, count: int) -> Sequence[Any]:
    return values if values is not None and len(values) == count else [None] * count


def _typed(column: Column, values: Iterable[Any]) -> Series:
    """The values as statistics take them: what is no number, where numbers are, is missing."""
    import pandas

    given = pandas.Series([*values], dtype=object)
    if column.kind is Kind.NUMBER:
        return pandas.to_numeric(given, errors="coerce").astype("float64").reset_index(drop=True)
    if column.kind is Kind.TEXT:
        return given.map(lambda each: None if each is None else float(len(str(each)))).astype("float64")
    return given.map(lambda each: None if each is None or each != each else written(each)).astype(object)
