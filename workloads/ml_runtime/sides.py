"""Puts each row of a table on one of two sides, training or test, and keeps no more rows of either than are asked for.

Where the test is a fraction, a row's hash decides; where it begins at a time, the row's time. A sample is drawn by the
rows' hashes too, so that the same rows are drawn of the same data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ml_runtime import split
from ml_runtime.data_spec import ByHash, ByTime, DataSpec
from ml_runtime.errors import RunError
from ml_runtime.formats import Block
from ml_runtime.schema import Kind, Schema
from ml_runtime.split import Sketch
from ml_runtime.values import Arrays, Values

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame

SLACK = 1.25
"""By so much a side may grow above its limit before it is cut."""
MERGED = 16
"""So many blocks become one: what is freed in small pieces does not go back to the system."""
DRAW, HASH, TIME = "\0draw", "\0hash", "\0time"
"""What goes with each row beside its columns."""


class Side:
    """The rows of one side, column by column, of which a limited number is kept."""

    def __init__(self, schema: Schema, key: Sequence[str], limit: int | None) -> None:
        self._schema, self._key, self._limit = schema, key, limit
        self._parts: dict[str, list[Any]] = {}
        self._blocks = self.count = 0

    def add(self, arrays: Arrays) -> None:
        import numpy

        self._blocks += 1
        for name, array in arrays.items():
            parts = self._parts.setdefault(name, [])
            parts.append(array)
            if self._blocks % MERGED == 0:
                parts[-MERGED:] = [numpy.concatenate(parts[-MERGED:])]
        self.count += len(arrays[HASH])
        if self._limit and self.count > self._limit * SLACK:
            self._cut(self._limit)

    def frame(self) -> DataFrame:
        """The columns of the schema; the rows in their order, or by time where they have one."""
        import pandas

        if self._limit and self.count > self._limit:
            self._cut(self._limit)
        times = self._whole(TIME)
        order = None if times is None else times.argsort(kind="stable")
        made: dict[str, Any] = {}
        for column in self._schema.columns:
            array = self._taken(column.name)
            array = array if order is None else array[order]
            made[column.name] = array.astype("int64") if column.whole else array
            if column.kind is Kind.TIME:
                made[column.name] = pandas.Series(array).dt.tz_localize("UTC")
            elif array.dtype == object:
                made[column.name] = pandas.Series(array, dtype=object)
        return pandas.DataFrame(made, copy=False)

    def groups(self) -> ndarray[Any, Any]:
        """A number for each row, in the order of the data: rows with the same key have the same."""
        hashes = self._whole(HASH)
        return _nothing("uint64") if hashes is None else hashes

    def sketch(self) -> Sketch:
        return Sketch.of(self.groups(), self._key)

    def _cut(self, limit: int) -> None:
        draws = self._whole(DRAW)
        assert draws is not None  # noqa: S101 - a side with a limit has drawn all its rows
        kept = draws.argsort(kind="stable")[:limit]
        kept.sort()
        for name in self._parts:
            whole = self._whole(name)
            self._parts[name] = [] if whole is None else [whole[kept]]
        self._blocks, self.count = 0, limit

    def _whole(self, name: str) -> ndarray[Any, Any] | None:
        import numpy

        parts: list[ndarray[Any, Any]] | None = self._parts.get(name)
        if not parts:
            return None
        if len(parts) > 1:
            self._parts[name] = parts = [numpy.concatenate(parts)]
        whole: ndarray[Any, Any] = parts[0]
        return whole

    def _taken(self, name: str) -> ndarray[Any, Any]:
        """A column, which this side has no more: so that memory never holds the whole table twice."""
        found = self._whole(name)
        self._parts.pop(name, None)
        return _nothing("object") if found is None else found


class Division:
    """A table on its way to the two sides."""

    def __init__(self, spec: DataSpec, schema: Schema, features: Sequence[str], key: Sequence[str]) -> None:
        time = [spec.test.column] if isinstance(spec.test, ByTime) else []
        self._spec, self._features, self._key = spec, list(features), list(key)
        self._values = Values(schema.only({*features, *key, *time, str(spec.target)}), spec.csv.decimal)
        self.schema = schema.only({*features, str(spec.target)})
        self._start = _time(spec.test.start) if isinstance(spec.test, ByTime) else None
        self.training = Side(self.schema, key, spec.sample)
        self.test = Side(self.schema, key, spec.sample and max(1, spec.sample // 4))
        self.divided = Sketch.of(_nothing("uint64"), key)
        """Of all rows that are on the side of the training, whether they are kept or not."""
        self.refused = 0

    def add(self, block: Block, test: bool = False) -> None:
        """Put the rows of a block on their sides, all on the test's where it is data of its own.

        Raises:
            RunError: a value is not of its column's kind, or a row has no time to go by.
        """
        training, tested = self._divided(block, test)
        self.training.add(training)
        self.test.add(tested)
        self.divided = self.divided.joined(training[HASH])

    def training_of(self, block: Block) -> DataFrame:
        """The training rows of a block that was added, all of them."""
        side = Side(self.schema, self._key, None)
        side.add(self._divided(block, False)[0])
        return side.frame()

    def _divided(self, block: Block, test: bool) -> tuple[Arrays, Arrays]:
        import numpy
        import pandas

        arrays = self._values.arrays(block)
        there = self._with_target(arrays[str(self._spec.target)], block)
        hashes = split.row_hashes(pandas.DataFrame({name: arrays[name] for name in self._key}, copy=False), self._key)
        side = numpy.full(len(hashes), test) if test else self._is_test(arrays, hashes, block)
        kept: Arrays = {name: arrays[name] for name in self.schema.names} | {HASH: hashes}
        if self._spec.sample:
            kept[DRAW] = split.drawn(self._rows(arrays, hashes), "sample")
        if isinstance(self._spec.test, ByTime):
            kept[TIME] = arrays[self._spec.test.column]
        training, tested = ({n: array[chosen] for n, array in kept.items()} for chosen in (there & ~side, there & side))
        return training, tested

    def check(self) -> None:
        """Raises RunError if there is nothing to learn from, or nothing to be tested on."""
        training, test, target = self.training.count, self.test.count, self._spec.target
        if not training + test:
            raise RunError(f"none of the {self.refused} rows of {self._spec.uri} has a {target!r}")
        if not training or not test:
            raise RunError(
                f"{training} rows of {self._spec.uri} are to be learned from and {test} are the test; both are "
                f"needed. Choose "
                "another `test`: a greater or smaller fraction, columns with more values in `by`, another time"
            )

    def _with_target(self, values: ndarray[Any, Any], block: Block) -> ndarray[Any, Any]:
        import pandas

        missing = pandas.isna(values)
        if missing.any() and not self.refused:
            place = block.place(int(missing.argmax()))
            print(f"{place} has no {self._spec.target!r}: rows without are left out", flush=True)
        self.refused += int(missing.sum())
        there: ndarray[Any, Any] = ~missing
        return there

    def _rows(self, arrays: Arrays, hashes: ndarray[Any, Any]) -> ndarray[Any, Any]:
        """Hashes of the rows themselves, where the key is that of groups: a sample has parts of all of them."""
        import pandas

        if not isinstance(self._spec.test, ByHash) or not self._spec.test.by:
            return hashes
        frame = pandas.DataFrame({name: arrays[name] for name in self._features}, copy=False)
        mixed: ndarray[Any, Any] = split.row_hashes(frame, self._features) ^ hashes
        return mixed

    def _is_test(self, arrays: Arrays, hashes: ndarray[Any, Any], block: Block) -> ndarray[Any, Any]:
        import numpy

        test = self._spec.test
        if isinstance(test, ByHash):
            return split.in_test(hashes, test.fraction, test.salt)
        if not isinstance(test, ByTime):
            return numpy.zeros(len(hashes), dtype=bool)
        times = arrays[test.column]
        absent = numpy.isnat(times)
        if absent.any():
            raise RunError(
                f"{block.place(int(absent.argmax()))}, column {test.column!r} is missing: a row without a time "
                f"is on neither "
                "side; mend it, or choose the test set otherwise"
            )
        return numpy.asarray(times >= self._start)


def _time(text: str) -> Any:
    import pandas

    return pandas.to_datetime(text, utc=True).tz_localize(None).to_datetime64()


def _nothing(kind: str) -> ndarray[Any, Any]:
    import numpy

    return numpy.empty(0, dtype=kind)
