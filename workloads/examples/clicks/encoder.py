"""From the raw columns of a row to what a network takes: numbers on one scale, and the index of each category.

What training has never seen, or not often enough to learn from, is one category of its own in each column, with an
index after all others; the network learns what to make of it by the rare ones. A missing number is the mean of all; an
empty text is a missing value. An encoder goes with its model: it is pickled as plain numbers and texts, so that another
release of NumPy or pandas reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import pandas

MISSING = -1
"""A missing category is one like any other; ids are no negative numbers."""


class Encoder:
    """What is known of the columns; fitted once."""

    def __init__(self, dense: Sequence[str], sparse: Sequence[str], least: int = 2) -> None:
        self.dense, self.sparse, self.least = tuple(dense), tuple(sparse), least
        self.scales: dict[str, tuple[float, float]] = {}
        """Mean and standard deviation of each column of numbers."""
        self.vocabularies: dict[str, list[int] | list[str]] = {}
        """The categories that rows have at least `least` times, of each column, in order."""

    def fit(self, frame: pandas.DataFrame) -> Encoder:
        """Learn the columns of these rows."""
        for name in self.dense:
            numbers = _numbers(name, frame[name])
            self.scales[name] = float(numbers.mean()), float(numbers.std(ddof=0)) or 1.0
        for name in self.sparse:
            counts = _categories(frame[name]).value_counts()
            self.vocabularies[name] = sorted(counts.index[counts >= self.least].tolist())
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it takes."""
        return (*self.dense, *self.sparse)

    @property
    def sizes(self) -> list[int]:
        """How many indices there are of each column of categories, with the one of all that was never seen."""
        return [len(self.vocabularies[name]) + 1 for name in self.sparse]

    def numbers(self, frame: pandas.DataFrame) -> numpy.ndarray[Any, Any]:
        """The columns of numbers, each with mean 0 and deviation 1.

        Raises:
            ValueError: a value is no number.
        """
        found = numpy.zeros((len(frame), len(self.dense)), dtype="float32")
        for place, name in enumerate(self.dense):
            mean, deviation = self.scales[name]
            found[:, place] = ((_numbers(name, frame[name]) - mean) / deviation).fillna(0)
        return found

    def indices(self, frame: pandas.DataFrame) -> numpy.ndarray[Any, Any]:
        """The index of each category in its column."""
        found = numpy.empty((len(frame), len(self.sparse)), dtype="int64")
        for place, name in enumerate(self.sparse):
            known = self.vocabularies[name]
            index = pandas.Index(known, dtype="int64" if _are_ids(known) else object)
            codes = index.get_indexer(_categories(frame[name], as_ids=_are_ids(known)))
            found[:, place] = numpy.where(codes < 0, len(known), codes)
        return found

    def unseen(self, frame: pandas.DataFrame) -> Mapping[str, float]:
        """Of each column of categories, the part of these rows that has one which is not known."""
        last = numpy.array(self.sizes) - 1
        return dict(zip(self.sparse, (self.indices(frame) == last).mean(axis=0).tolist(), strict=True))


def _numbers(name: str, values: pandas.Series) -> pandas.Series:
    """Numbers, whether a caller has written them as such or as texts."""
    values = _present(values)
    found = pandas.to_numeric(values, errors="coerce")
    if wrong := values[found.isna() & values.notna()].tolist():
        raise ValueError(f"column {name!r}: {wrong[0]!r} is no number")
    return found.astype("float64")


def _categories(values: pandas.Series, as_ids: bool | None = None) -> pandas.Series:
    """Ids as whole numbers, all else as texts; `as_ids` where that is known. What can't be an id is never one that was
    seen."""
    values = _present(values)
    ids = pandas.to_numeric(values, errors="coerce")
    if as_ids is None:
        as_ids = bool((ids.notna() | values.isna()).all() and (ids.dropna() % 1 == 0).all())
    if as_ids:
        odd = (ids.isna() & values.notna()) | (ids % 1 != 0) & ids.notna()
        return ids.fillna(MISSING).where(~odd, MISSING - 1).astype("int64")
    return values.where(values.notna(), str(MISSING)).astype(str).astype(object)


def _present(values: pandas.Series) -> pandas.Series:
    """The values, without the texts that say nothing."""
    return values if pandas.api.types.is_numeric_dtype(values) else values.mask(values == "")


def _are_ids(known: Sequence[Any]) -> bool:
    return all(isinstance(each, int) for each in known)
