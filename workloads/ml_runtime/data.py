"""Rows of a headerless CSV, and the part of them that is held out.

Which rows are held out depends on their content alone, not on their order, the seed or the run: so a model and its
successor are scored on rows that neither has seen, and the split stays when data are added.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ml_runtime.dataset import to_csv
from ml_runtime.errors import RunError

Row = list[str]


@dataclass(frozen=True)
class Table:
    """Rows under named columns."""

    columns: tuple[str, ...]
    rows: list[Row]

    def to_csv(self) -> bytes:
        return to_csv(self.rows)

    def features(self, target: str) -> list[list[float]]:
        """All columns but the target.

        Raises:
            RunError: one of them is not a number.
        """
        keep = [index for index, name in enumerate(self.columns) if name != target]
        return [[self._number(line, index, row[index]) for index in keep] for line, row in enumerate(self.rows, 1)]

    def classes(self, target: str) -> list[str]:
        """The target column."""
        index = self.columns.index(target)
        return [row[index] for row in self.rows]

    def _number(self, line: int, index: int, text: str) -> float:
        try:
            return float(text)
        except ValueError as wrong:
            raise RunError(f"row {line}, column {self.columns[index]!r}: {text!r} is not a number") from wrong


def parse(content: bytes, columns: Sequence[str]) -> Table:
    """Read a headerless CSV.

    Raises:
        RunError: it is not text, is empty, or a row has another number of fields than there are columns.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode())) if row]
    except UnicodeDecodeError as binary:
        raise RunError(f"the data set is not text in UTF-8: {binary}") from binary
    if not rows:
        raise RunError("the data set has no rows")
    for line, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise RunError(
                f"row {line} of the data set has {len(row)} fields; {len(columns)} columns are named: {columns}"
            )
    return Table(tuple(columns), rows)


def split(table: Table, target: str, held_out: float) -> tuple[Table, Table]:
    """The rows to train on and those held out: of each class the same part, at least one row of each on both sides.

    Raises:
        RunError: there is one class only, or a class has one row only.
    """
    by_class: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for row, name in zip(table.rows, table.classes(target), strict=True):
        text = "\x1f".join(row)
        seen[text] += 1  # rows that occur twice get different places in the order
        by_class[name].append((hashlib.sha256(f"{text}\x1f{seen[text]}".encode()).hexdigest(), row))
    if len(by_class) < 2:
        raise RunError(
            f"the column {target!r} has one class only: {next(iter(by_class))!r}; nothing can be learned from it"
        )
    train, rest = [], []
    for name in sorted(by_class):
        ranked = sorted(by_class[name])
        if len(ranked) < 2:
            raise RunError(f"the class {name!r} of {target!r} has one row only; two are needed, one of them held out")
        count = min(max(1, round(len(ranked) * held_out)), len(ranked) - 1)
        rest += [row for _, row in ranked[:count]]
        train += [row for _, row in ranked[count:]]
    return Table(table.columns, train), Table(table.columns, rest)
