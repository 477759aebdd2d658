"""Values of a request as a column of a model: numbers, truth, texts, times, files, JSON; each without loss.

It owns what of one kind is taken for another, and how it is said what is not. Which columns there are is the business
of ml_runtime.request_inputs. Missing values are those of the gate's test rows: a model is served as it was judged.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime.schema import LARGEST_WHOLE, TIME
from ml_runtime.tensor import NUMBERS, TEXTS, Flat, RefusedError, bounds, first, is_whole, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASE64 = "base64"
"""The content type of an input whose texts are in base64."""
COLUMN = (-1, 1)
"""The shape of one column, of any number of rows."""


@dataclass(frozen=True)
class Wanted:
    """What a model wants one of its inputs to be."""

    name: str
    kind: str
    """The key in KINDS."""
    datatype: str
    """That of protocol v2 which its values have of themselves."""
    content_type: str
    dtype: str
    """NumPy's type of its values."""
    required: bool = True
    shape: tuple[int, ...] = COLUMN
    """-1 is any number."""

    @property
    def told(self) -> str:
        return f"{self.name} ({self.datatype}{'' if self.required else ', optional'})"


@dataclass(frozen=True)
class Given:
    """What a request has for it."""

    flat: Flat
    datatype: str
    content_type: str | None = None


@dataclass(frozen=True)
class _Kind:
    takes: tuple[str, ...]
    """Datatypes of a request."""
    called: str
    example: str
    convert: Callable[[Wanted, Given, Sequence[Any]], NDArray[Any]]
    """All the values that are not missing."""
    missing: Any = None
    """What stands for one that is; NEVER where nothing does."""


NEVER = object()


def column(wanted: Wanted, given: Given) -> NDArray[Any]:
    """The values, of the type that the model wants.

    Raises:
        RefusedError: one is not what the column takes.
    """
    import numpy

    kind = KINDS[wanted.kind]
    if given.datatype not in kind.takes:
        raise RefusedError(
            f"column {wanted.name!r} takes {kind.called}, and the request has {given.datatype} for it: send "
            f"{wanted.datatype}, like {kind.example}"
        )
    present, values = given.flat.present, given.flat.values
    converted = kind.convert(wanted, given, present)
    if len(present) == len(values):
        return converted
    if wanted.required or kind.missing is NEVER:
        row = first(each is None for each in values)
        raise RefusedError(f"column {wanted.name!r}, row {row + 1}: null, and {_never(wanted)}")
    whole = absent(wanted, len(values))
    whole[numpy.array([each is not None for each in values])] = converted
    return whole


def absent(wanted: Wanted, rows: int) -> NDArray[Any]:
    """A column of nothing but missing values."""
    import numpy

    kind = KINDS[wanted.kind]
    return numpy.full(rows, kind.missing, dtype=wanted.dtype if wanted.kind in ("number", "time") else object)


def can_miss(wanted: Wanted) -> bool:
    """Whether a column may be left out, and something stands for its values then."""
    return not wanted.required and KINDS[wanted.kind].missing is not NEVER


def _never(wanted: Wanted) -> str:
    if wanted.required:
        return "its values are never missing: give one"
    return "nothing stands for a missing value of this type: give one, or leave the column out"


def _refuse(wanted: Wanted, given: Given, unfit: Callable[[Any], bool], rule: str) -> RefusedError:
    row = first(each is not None and unfit(each) for each in given.flat.values)
    return RefusedError(f"column {wanted.name!r}, row {row + 1}: {shown(given.flat.values[row])} {rule}")


def _numbers(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    import numpy

    if int in given.flat.kinds and max(map(abs, present), default=0) > LARGEST_WHOLE:
        lost = [each for each in present if type(each) is int and int(float(each)) != each]
        if lost:
            raise _refuse(wanted, given, lambda each: each in lost, f"has more digits than {wanted.datatype} holds")
    with numpy.errstate(over="ignore"):
        numbers = numpy.array(present, dtype="float64").astype(wanted.dtype)
    if numpy.isfinite(numbers).all():
        return numbers
    largest = float(numpy.finfo(wanted.dtype).max)
    if numpy.isnan(numbers).any():
        raise _refuse(wanted, given, lambda each: each != each, "is no number: null stands for a missing one")
    raise _refuse(wanted, given, lambda each: abs(each) > largest, f"is larger than {wanted.datatype} holds")


def _wholes(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    import numpy

    def unfit(each: Any) -> bool:
        return not (is_whole(each) and low <= each <= high)

    low, high = bounds(wanted.datatype)
    if float in given.flat.kinds:
        if any(map(unfit, present)):
            raise _refuse(wanted, given, unfit, f"is no whole number that {wanted.datatype} holds")
        present = [*map(int, present)]
    elif present and (min(present) < low or max(present) > high):
        raise _refuse(wanted, given, unfit, f"is no whole number that {wanted.datatype} holds")
    return numpy.array(present, dtype=wanted.dtype)


def _truth(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    import numpy

    if any(each not in (0, 1) for each in present):
        raise _refuse(wanted, given, lambda each: each not in (0, 1), "is neither true nor false")
    return numpy.array(present, dtype=bool)


def _texts(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    if given.content_type == BASE64:
        present = _decoded(wanted, given, present)
    if bytes in given.flat.kinds or given.content_type == BASE64:
        try:
            present = [each.decode() if isinstance(each, bytes) else each for each in present]
        except UnicodeDecodeError:
            raise RefusedError(f"column {wanted.name!r} has bytes that are no text in UTF-8") from None
    return _objects(present)


def _files(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    raw = given.content_type != BASE64 and str not in given.flat.kinds  # by gRPC
    return _objects(present if raw else _decoded(wanted, given, present))


def _decoded(wanted: Wanted, given: Given, present: Sequence[Any]) -> list[bytes]:
    def unfit(each: Any) -> bool:
        try:
            base64.b64decode(each, validate=True)
        except ValueError:
            return True
        return False

    try:
        return [base64.b64decode(each, validate=True) for each in present]
    except ValueError:
        raise _refuse(wanted, given, unfit, "is no content in base64") from None


def _times(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    import pandas

    texts = _texts(wanted, given, present).tolist()
    rule = f"is no time by ISO 8601 from {pandas.Timestamp.min.year + 1} to {pandas.Timestamp.max.year - 1}"
    if not all(map(re.compile(TIME).fullmatch, texts)):
        unfit = first(not re.fullmatch(TIME, each) for each in texts)
        raise _refuse(wanted, given, lambda each: each == present[unfit], f"{rule}, like 2026-11-29T21:00:00Z")
    times = pandas.to_datetime(pandas.Series(texts, dtype=object), utc=True, errors="coerce", format="ISO8601")
    unfit = times.isna() | (times.dt.year <= pandas.Timestamp.min.year) | (times.dt.year >= pandas.Timestamp.max.year)
    if unfit.any():
        wrong = present[int(unfit.to_numpy().argmax())]
        raise _refuse(wanted, given, lambda each: each == wrong, rule)
    found: NDArray[Any] = times.dt.tz_localize(None).to_numpy().astype(wanted.dtype)
    return found


def _json(wanted: Wanted, given: Given, present: Sequence[Any]) -> NDArray[Any]:
    def unfit(each: Any) -> bool:
        try:
            json.loads(each)
        except (ValueError, RecursionError):
            return True
        return False

    if any(map(unfit, present)):
        raise _refuse(wanted, given, unfit, 'is no JSON: write it as a text, like "[1, 2]"')
    return _objects([json.loads(each) for each in present])


def _objects(found: Sequence[Any]) -> NDArray[Any]:
    import numpy

    objects = numpy.empty(len(found), dtype=object)
    objects[:] = found
    return objects


KINDS: Mapping[str, _Kind] = {
    "number": _Kind(NUMBERS, "numbers", "[6.3]", _numbers, float("nan")),
    "whole": _Kind(NUMBERS, "whole numbers", "[5]", _wholes, NEVER),
    "truth": _Kind(("BOOL", *NUMBERS), "true or false", "[true]", _truth),
    "text": _Kind((TEXTS,), "texts", '["red"]', _texts),
    "time": _Kind((TEXTS,), "times", '["2026-11-29T21:00:00Z"]', _times, "NaT"),
    "file": _Kind((TEXTS,), "contents in base64", '["aGVsbG8="]', _files),
    "json": _Kind((TEXTS,), "JSON as texts", '["[1, 2]"]', _json),
}
