"""What the columns of a table are: names, kinds, whether values may be missing, which categories there were.

A schema is inferred once, by whoever reads raw data, and goes with the data, the model and its test rows from then on.
The module owns the kinds and the check of a DataFrame against them; it reads no file, and loads pandas only for that
check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import RunError

if TYPE_CHECKING:
    from pandas import DataFrame, Series

NUMBER = r"[+-]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][+-]?[0-9]+)?"
"""How a number is written. Codes (007), groups of digits (1_000), infinities and names of nothing are none."""
WHOLE = r"[+-]?(0|[1-9][0-9]*)"
CODE = r"[+-]?0[0-9]+"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
"""How a date, or a time of it, is written by ISO 8601."""
CATEGORIES = 1_000
"""A column of texts has no more categories; it has more texts."""
LARGEST_WHOLE = 2**53
"""Above it a float stands for more than one whole number, so a longer one is an id."""


class Kind(StrEnum):
    """What values of a column are."""

    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    TIME = "time"
    FILE = "file"
    """Its content, as bytes."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    nullable: bool = False
    categories: tuple[str, ...] | None = None
    """Those that were there when the schema was inferred; others may come."""
    whole: bool = False
    """All its numbers are whole, and none is missing."""


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in their order."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of this name.

        Raises:
            RunError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise RunError(f"there is no column {name!r}, only {', '.join(map(repr, self.names))}")

    def only(self, names: Collection[str]) -> Schema:
        """Some of the columns, in the order that they have here."""
        return Schema(tuple(column for column in self.columns if column.name in names))

    def without(self, *names: str) -> Schema:
        return self.only(set(self.names) - set(names))

    def to_json(self) -> str:
        return json.dumps({"columns": [asdict(column) for column in self.columns]}, indent=2, ensure_ascii=False)

    @staticmethod
    def from_json(text: str | bytes) -> Schema:
        """What `to_json` wrote.

        Raises:
            RunError: it is something else.
        """
        try:
            columns = [Column(**{**each, "kind": Kind(each["kind"])}) for each in json.loads(text)["columns"]]
        except (ValueError, KeyError, TypeError) as broken:
            raise RunError(f"this is no schema of a table ({broken!r}): {text[:100]!r}") from broken
        lists = [None if each.categories is None else tuple(each.categories) for each in columns]
        return Schema(
            tuple(Column(c.name, c.kind, c.nullable, n, c.whole) for c, n in zip(columns, lists, strict=True))
        )

    def check(self, frame: DataFrame) -> DataFrame:
        """The columns of the schema in their order, each with its kind's own type; the index stays.

        Raises:
            RunError: a column is not there, or a value is not what its column is.
        """
        import pandas

        if missing := [name for name in self.names if name not in frame.columns]:
            raise RunError(
                f"the table lacks the column {missing[0]!r}; it has {', '.join(map(repr, frame.columns))} and needs "
                f"{', '.join(map(repr, self.names))}"
            )
        return pandas.DataFrame({c.name: _cast(c, frame[c.name]) for c in self.columns}, index=frame.index)


def naive(frame: DataFrame) -> DataFrame:
    """The frame with its times as models are given them: those of UTC, without the zone's name, for which MLflow's
    signatures have no type."""
    zoned = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{name: frame[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned})


def are_categories(distinct: int, values: int) -> bool:
    """Whether texts are categories: few, each twice on average."""
    return distinct <= CATEGORIES and 2 * distinct <= values


def is_number(text: str) -> bool:
    """Whether this text is a number as numbers are written, and not a code or an id."""
    if not re.fullmatch(NUMBER, text):
        return False
    return not re.fullmatch(WHOLE, text) or abs(int(text)) <= LARGEST_WHOLE


def _cast(column: Column, values: Series) -> Series:
    import pandas

    missing = values.isna()
    present = values[~missing]
    if len(present) < len(values) and not column.nullable:
        _refuse(column, missing, values, "is missing, and the column's values never are")
    result, unfit, rule = _CASTS[column.kind](present)
    if column.kind is Kind.NUMBER and column.whole and not unfit.any():
        unfit, rule = result % 1 != 0, "is no whole number"
    _refuse(column, unfit.reindex(values.index, fill_value=False), values, rule)
    if column.kind is Kind.NUMBER:
        return result.astype("int64" if column.whole else "float64").reindex(values.index)
    if column.kind is Kind.TIME:
        return result.reindex(values.index)
    whole = pandas.Series([None] * len(values), index=values.index, dtype=object)
    whole[~missing] = result
    return whole


def _refuse(column: Column, unfit: Series, values: Series, rule: str) -> None:
    if unfit.any():
        row = int(unfit.to_numpy().argmax())
        raise RunError(f"row {row + 1}, column {column.name!r}: {values.iloc[row]!r} {rule}")


def _numbers(values: Series) -> tuple[Series, Series, str]:
    import pandas

    rule = "is not a number"
    if pandas.api.types.is_numeric_dtype(values):
        unfit = values.abs() == float("inf")
        return values.astype("float64"), unfit, "is no finite number"
    fits = values.map(lambda value: is_number(value) if isinstance(value, str) else _is_finite(value))
    unfit = ~fits.astype(bool)
    return pandas.to_numeric(values.where(~unfit, "0")), unfit, rule


def _is_finite(value: Any) -> bool:
    try:
        return abs(float(value)) < float("inf")
    except (TypeError, ValueError):
        return False


def _texts(values: Series) -> tuple[Series, Series, str]:
    unfit = values.map(lambda value: isinstance(value, bytes | list | dict)).astype(bool)
    return values.map(written).astype(object), unfit, "is no text"


def _times(values: Series) -> tuple[Series, Series, str]:
    import pandas

    result = pandas.to_datetime(values, utc=True, errors="coerce", format="ISO8601").astype("datetime64[ns, UTC]")
    return result, result.isna(), "is no time by ISO 8601, like 2026-11-29T21:00:00Z"


def _files(values: Series) -> tuple[Series, Series, str]:
    return values, ~values.map(lambda value: isinstance(value, bytes)).astype(bool), "is no content of a file"


_CASTS: dict[Kind, Callable[[Any], tuple[Any, Any, str]]] = {
    Kind.NUMBER: _numbers,
    Kind.CATEGORY: _texts,
    Kind.TEXT: _texts,
    Kind.TIME: _times,
    Kind.FILE: _files,
}


def written(value: Any) -> str:
    """A value as a text: what it says in a file, whatever a reader has made of it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return str(int(value))
    return str(value)
