"""Which rows are the test set: a threshold on a hash of each row, so that it belongs to the data, not to a run.

Data that grow, another fraction, another format or another kind of a column move no row from training to test, and rows
that are equal stay together. Hashes are made by a mixing of our own, which no release of a library changes.
The module owns hashes, the threshold, and sketches: what is kept of a set of rows to tell later how much of another set
is in it. Which columns are the key of a row is said by whoever reads the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import RunError
from ml_runtime.schema import is_number

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame, Series

SKETCH = 20_000
"""So many rows of a set are kept, those with the smallest hashes."""
ABSENT, NUMBER, TIME = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7


def row_hashes(frame: DataFrame, columns: Sequence[str]) -> ndarray[Any, Any]:
    """A hash of each row's values in these columns; the order of the columns does not matter."""
    import numpy

    total = numpy.zeros(len(frame), dtype=numpy.uint64)
    for name in columns:
        total += _mix(_hashes(frame[name]) + numpy.uint64(_text_hash(name)))
    return _mix(total)


def in_test(hashes: ndarray[Any, Any], fraction: float, salt: str = "") -> ndarray[Any, Any]:
    """Which of the rows are test rows; a greater fraction has all those of a smaller one."""
    import numpy

    return numpy.asarray(drawn(hashes, f"test {salt}") < numpy.uint64(int(fraction * 2.0**64)))


def drawn(hashes: ndarray[Any, Any], purpose: str) -> ndarray[Any, Any]:
    """A number for each row, drawn evenly and by its hash alone; those of two purposes have nothing in common."""
    import numpy

    return _mix(hashes ^ numpy.uint64(_text_hash(purpose)))


@dataclass(frozen=True)
class Sketch:
    """What is kept of a set of rows: the smallest of their hashes."""

    key: str
    """The columns that were hashed: sketches of other ones can't be compared."""
    rows: int
    hashes: tuple[int, ...]
    """Of distinct rows, ascending."""
    whole: bool
    """Whether these are all."""

    @staticmethod
    def of(hashes: ndarray[Any, Any], columns: Sequence[str], size: int = SKETCH) -> Sketch:
        import numpy

        distinct = numpy.unique(hashes)
        kept = tuple(distinct[:size].tolist())
        return Sketch(", ".join(sorted(columns)), len(hashes), kept, len(kept) == len(distinct))

    def joined(self, hashes: ndarray[Any, Any], size: int = SKETCH) -> Sketch:
        """That of these rows and of more, by the same columns."""
        import numpy

        near = hashes if self.whole else hashes[hashes < self.hashes[-1]]
        distinct = numpy.unique(numpy.concatenate([numpy.array(self.hashes, dtype=numpy.uint64), near]))
        kept = tuple(distinct[:size].tolist())
        return Sketch(self.key, self.rows + len(hashes), kept, self.whole and len(kept) == len(distinct))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str | bytes) -> Sketch:
        """What `to_json` wrote.

        Raises:
            RunError: it is something else.
        """
        try:
            found = json.loads(text)
            return Sketch(str(found["key"]), int(found["rows"]), tuple(map(int, found["hashes"])), bool(found["whole"]))
        except (ValueError, KeyError, TypeError) as broken:
            raise RunError(f"this is no sketch of a table's rows ({broken!r}): {text[:100]!r}") from broken


def overlap(training: Sketch, test: Sketch) -> float | None:
    """The part of the distinct test rows that is in training: exact where both are whole, else an estimate.

    None where that can't be told: the two were hashed by other columns, or no test row is in the range of both.
    """
    if training.key != test.key:
        return None
    ends = [sketch.hashes[-1] for sketch in (training, test) if not sketch.whole]
    seen = [each for each in test.hashes if not ends or each <= min(ends)]
    if not seen:
        return None
    known = set(training.hashes)
    return sum(each in known for each in seen) / len(seen)


def _hashes(values: Series) -> ndarray[Any, Any]:
    """Of each value, by what it says: 2, 2.0 and the text "2" are one number."""
    import numpy
    import pandas

    if pandas.api.types.is_datetime64_any_dtype(values):
        absent = values.isna().to_numpy()
        whole = values.astype("datetime64[ns, UTC]").astype("int64").to_numpy().view(numpy.uint64)
        return numpy.where(absent, numpy.uint64(ABSENT), _mix(whole ^ numpy.uint64(TIME)))
    if pandas.api.types.is_numeric_dtype(values) and not pandas.api.types.is_bool_dtype(values):
        return _of_numbers(values.to_numpy(dtype="float64"))
    places, distinct = pandas.factorize(values)
    known = numpy.fromiter(map(_of_value, distinct), dtype=numpy.uint64, count=len(distinct))
    found: ndarray[Any, Any] = numpy.append(known, numpy.uint64(ABSENT))[places]  # the place of what is missing is -1
    return found


def _of_numbers(values: ndarray[Any, Any]) -> ndarray[Any, Any]:
    import numpy

    bits = (values + 0.0).view(numpy.uint64)  # -0.0 is 0.0
    return numpy.where(numpy.isnan(values), numpy.uint64(ABSENT), _mix(bits ^ numpy.uint64(NUMBER)))


def _of_value(value: Any) -> int:
    import numpy

    if isinstance(value, str) and is_number(value):
        return int(_of_numbers(numpy.array([float(value)]))[0])
    return _text_hash(value if isinstance(value, bytes | str) else str(value))


def _text_hash(text: str | bytes) -> int:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _mix(values: ndarray[Any, Any]) -> ndarray[Any, Any]:
    """Every bit of a number depends on every bit of its result: the finish of SplitMix64."""
    import numpy

    mixed: ndarray[Any, Any] = values ^ (values >> numpy.uint64(30))
    mixed *= numpy.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> numpy.uint64(27)
    mixed *= numpy.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> numpy.uint64(31)
    return mixed
