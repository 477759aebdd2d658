"""Which rows of a raw table are fit for use: the rules, and the account of those that are refused.

Plain functions of one row. What applies them to all of a table is the business of ml_runtime.etl.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

EXAMPLES = 5

Row = tuple[float | str, ...]


@dataclass(frozen=True)
class Refusal:
    """A row that does not fit: the rule, in words that many rows share, and the row itself."""

    rule: str
    line: str


@dataclass(frozen=True)
class Rules:
    """What a row must be: as many fields as there are columns, all numbers but a class that is known."""

    columns: tuple[str, ...]
    target: str
    classes: Mapping[str, str]
    """What each class is written as, by its name in the raw table."""

    def check(self, line: str) -> Row | Refusal | None:
        """One line of a CSV as a row with its class mapped; a blank one is none."""
        if not line.strip():
            return None
        fields = [text.strip() for text in next(csv.reader([line]))]
        if len(fields) != len(self.columns):
            return Refusal(f"{len(fields)} fields, not {len(self.columns)}", line)
        row: list[float | str] = []
        for name, text in zip(self.columns, fields, strict=True):
            value = self.classes.get(text) if name == self.target else _number(text)
            if value is None:
                unfit = "no class that is mapped" if name == self.target else "no number"
                return Refusal(f"column {name}: {unfit}", line)
            row.append(value)
        return tuple(row)


@dataclass
class Account:
    """How many rows were seen and which were refused; accounts of parts of a table add up."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[Refusal] = field(default_factory=list)

    def add(self, checked: Row | Refusal) -> Account:
        if isinstance(checked, Refusal):
            self.refused[checked.rule] += 1
            self.examples = [*self.examples, checked][:EXAMPLES]
        else:
            self.accepted += 1
        return self

    def merge(self, other: Account) -> Account:
        self.accepted += other.accepted
        self.refused += other.refused
        self.examples = [*self.examples, *other.examples][:EXAMPLES]
        return self

    @property
    def share(self) -> float:
        """The part of all rows that was refused."""
        return self.refused.total() / max(1, self.accepted + self.refused.total())

    def describe(self) -> str:
        """Each rule with its number of rows, and a few of them."""
        rules = "; ".join(f"{count} x {rule}" for rule, count in self.refused.most_common())
        return f"{rules} (for example {', '.join(repr(each.line[:100]) for each in self.examples)})"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
