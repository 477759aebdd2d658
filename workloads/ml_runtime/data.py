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
from typing import Any

from ml_runtime.dataset import to_csv
from ml_runtime.errors import RunError
from ml_runtime.metrics import Task

Row = list[str]


@dataclass(frozen=True)
class Table:
    """Rows under named columns."""

    columns: tuple[str, ...]
    rows: list[Row]

    def to_csv(self) -> bytes:
        return to_csv(self.rows)

    def numbers(self, name: str) -> list[float]:
        """A column of numbers.

        Raises:
            RunError: one of them is none.
        """
        index = self.columns.index(name)
        return [self._number(line, index, row[index]) for line, row in enumerate(self.rows, 1)]

    def classes(self, name: str) -> list[int] | list[str]:
        """A column of classes: whole numbers if all of them are, else texts."""
        texts = self.texts(name)
        whole = {text: _whole(text) for text in set(texts)}
        known = {text: number for text, number in whole.items() if number is not None}
        return [known[text] for text in texts] if len(known) == len(whole) else texts

    def values(self, name: str, task: Task) -> list[Any]:
        """The target column, as the task takes it.

        Raises:
            RunError: one of the values is no number, and the task is a regression.
        """
        return self.numbers(name) if task is Task.REGRESSION else self.classes(name)

    def texts(self, name: str) -> list[str]:
        """A column as it is written."""
        index = self.columns.index(name)
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


def split(table: Table, target: str, task: Task, held_out: float) -> tuple[Table, Table]:
    """The rows to train on and those held out: of each class the same part, at least one row of each on both sides.

    Raises:
        RunError: there is nothing to tell apart, or a class, or the whole table, has one row only.
    """
    texts = table.texts(target)
    if len(set(texts)) < 2:
        raise RunError(f"the column {target!r} has one value only: {texts[0]!r}; nothing can be learned from it")
    by_class: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for row, name in zip(table.rows, texts, strict=True):
        text = "\x1f".join(row)
        seen[text] += 1  # rows that occur twice get different places in the order
        group = name if task is Task.CLASSIFICATION else ""
        by_class[group].append((hashlib.sha256(f"{text}\x1f{seen[text]}".encode()).hexdigest(), row))
    train, rest = [], []
    for name in sorted(by_class):
        ranked = sorted(by_class[name])
        if len(ranked) < 2:
            raise RunError(f"the class {name!r} of {target!r} has one row only; two are needed, one of them held out")
        count = min(max(1, round(len(ranked) * held_out)), len(ranked) - 1)
        rest += [row for _, row in ranked[:count]]
        train += [row for _, row in ranked[count:]]
    return Table(table.columns, train), Table(table.columns, rest)


def _whole(text: str) -> int | None:
    """The number, if it is a whole one, however it is written: 2 and 2.0 are the same class."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None
