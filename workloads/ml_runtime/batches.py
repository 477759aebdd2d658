"""The training rows by and by, for a fit that learns from more of them than memory holds.

Owns what such a fit is given. Which rows they are, and how they are read again for each pass, is the business of
ml_runtime.tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_runtime.schema import naive

if TYPE_CHECKING:
    from pandas import DataFrame, Series


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Pairs of features and target, from the first row to the last each time that they are gone through."""

    rows: Callable[[], Iterator[DataFrame]]
    target: str
    classes: tuple[str, ...]
    """Those of the data, which a first batch may not have all; of a regression none."""

    def __iter__(self) -> Iterator[tuple[DataFrame, Series]]:
        for rows in self.rows():
            if len(rows):
                yield naive(rows.drop(columns=[self.target])), rows[self.target]

    @staticmethod
    def of(features: DataFrame, target: Series, classes: tuple[str, ...]) -> Batches:
        """What is in memory, as one batch."""
        name = str(target.name)
        return Batches(rows=lambda: iter([features.assign(**{name: target})]), target=name, classes=classes)
