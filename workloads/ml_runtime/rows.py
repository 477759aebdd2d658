"""Which rows of a raw table an ETL run refuses, and whether that is too much; which kind a raw column has.

Plain functions of counts. What counts them, all over a table, is the business of ml_runtime.etl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml_runtime.errors import RunError
from ml_runtime.etl_spec import EtlSpec
from ml_runtime.schema import Kind, are_categories

MOSTLY = 0.9
"""A column is one of numbers if this part of its values are: the others are slips, which count as unfit rows."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """How many rows were seen and which were refused."""

    rows: int
    refused: Mapping[str, int]
    """By rule."""
    examples: Sequence[str] = ()

    @property
    def accepted(self) -> int:
        return self.rows - sum(self.refused.values())

    def describe(self) -> str:
        """Each rule with its number of rows, and a few of them."""
        ranked = sorted(self.refused.items(), key=lambda each: (-each[1], each[0]))
        rules = "; ".join(f"{count} x {rule}" for rule, count in ranked)
        return f"{rules} (for example {', '.join(each[:200] for each in self.examples)})"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What is known of a raw column's texts."""

    present: int
    numbers: int
    codes: int
    """Codes and ids, which make no number of a column."""
    times: int
    distinct: int


def judge(spec: EtlSpec, account: Account) -> None:
    """Says how many rows were refused, and why.

    Raises:
        RunError: there are no rows, or more were refused than may be.
    """
    refused = account.rows - account.accepted
    if not account.rows:
        raise RunError(f"{spec.data.uri} has no rows; put the raw table there, then run this again")
    if refused:
        print(f"refused {refused} of {account.rows} rows: {account.describe()}", flush=True)
    if not account.accepted or refused > spec.maximum_refused * account.rows:
        raise RunError(
            f"{refused} of {account.rows} rows of {spec.data.uri} are unfit, more than maximum_refused "
            f"{spec.maximum_refused} lets pass: {account.describe()}. Mend them, or let more pass."
        )


def kind_of(counts: Counts, maximum_refused: float, typed: bool) -> Kind:
    """Of a column of texts: what most are, since rows with others are refused; texts stay texts in a typed file."""
    most = counts.present * min(1 - maximum_refused, MOSTLY)
    if counts.present and not typed and not counts.codes and counts.numbers >= most:
        return Kind.NUMBER
    if counts.times and counts.times >= most:
        return Kind.TIME
    return Kind.CATEGORY if are_categories(counts.distinct, counts.present) else Kind.TEXT


def check_columns(spec: EtlSpec, names: Sequence[str]) -> None:
    """Whether a raw table has the columns that the description names, under names that Spark tells apart.

    Raises:
        RunError: one is not there, or two differ in case alone.
    """
    if len(names) == 1 and (sign := next((each for each in ";\t|" if each in names[0]), None)):
        raise RunError(
            f"{spec.data.uri} looks like a CSV with the separator {sign!r}: {names[0][:80]!r}; say so in `csv`"
        )
    by_case: dict[str, str] = {}
    for name in names:
        other = by_case.setdefault(name.lower(), name)
        if other != name:
            raise RunError(
                f"{spec.data.uri} has the columns {other!r} and {name!r}, which Spark takes for one; rename one of them"
            )
    for wanted in (spec.data.target, *(spec.data.features or ()), *spec.data.columns):
        if wanted is not None and wanted not in names:
            raise RunError(f"{spec.data.uri} has no column {wanted!r}, only {', '.join(map(repr, names))}")


def check_classes(spec: EtlSpec, found: Mapping[str, int]) -> None:
    """Raises RunError if a class that is mapped is not among those found."""
    if missing := [name for name, written in spec.classes.items() if written not in found]:
        raise RunError(
            f"the class {missing[0]!r} of column {spec.data.target} is in no accepted row of {spec.data.uri}; "
            f"there are "
            f"{', '.join(f'{count} of {name}' for name, count in sorted(found.items()))}. Add such rows, or take it "
            "out of `classes`."
        )
