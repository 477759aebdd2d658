"""A tensor as a request of protocol v2 has it: its values one after the other, if they are what it says of itself.

What of them a model takes is the business of ml_runtime.tensor_values and ml_runtime.request_inputs. Nothing here needs
a model server: it is asked for the same by tests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

SHOWN = 60
"""Characters of a value, and SOME of a list's entries, that a message repeats."""
SOME = 20
TEXTS = "BYTES"
WHOLE = {f"{sign}INT{bits}": bits for sign in ("", "U") for bits in (8, 16, 32, 64)}
FRACTIONS = ("FP16", "FP32", "FP64")
NUMBERS = (*WHOLE, *FRACTIONS)
TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "BOOL": ((bool, int), "true and false"),
    **dict.fromkeys(WHOLE, ((int, float), "whole numbers")),
    **dict.fromkeys(FRACTIONS, ((int, float), "numbers")),
    TEXTS: ((str, bytes), "texts"),
}
"""By datatype: the types of Python that its values come as, and what a user calls them."""
WORDS = {bool: "true or false", int: "a number", float: "a number", str: "a text", dict: "an object", bytes: "bytes"}


class RefusedError(Exception):
    """The request can't be answered as it is: the message says what was found, the rule, and the way out."""


@dataclass(frozen=True)
class Tensor:
    """One input of a request."""

    name: str
    shape: Sequence[int]
    datatype: str
    data: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Flat:
    """The values of a tensor in the order of its rows; each is one of its datatype, or None."""

    values: Sequence[Any]
    kinds: Set[type]
    """The types of Python that they have, or some do elsewhere in the tensor."""

    @property
    def present(self) -> Sequence[Any]:
        return [each for each in self.values if each is not None] if type(None) in self.kinds else self.values


def flat(tensor: Tensor) -> Flat:
    """Its values.

    Raises:
        RefusedError: they are not as many as the shape says, or not of the datatype.
    """
    if any(size < 0 for size in tensor.shape):
        raise RefusedError(f"input {tensor.name!r} has the shape {[*tensor.shape]}: write how many values there are")
    found, nested = _flat(tensor)
    if math.prod(tensor.shape) != len(found.values) or (len(nested) > 1 and nested != [*tensor.shape]):
        raise RefusedError(
            f"input {tensor.name!r} has the shape {[*tensor.shape]}, and its data are {'x'.join(map(str, nested))} "
            "values: mend one of them"
        )
    _check(tensor, found)
    return found


def first(found: Iterable[Any]) -> int:
    """The place of the first that is true."""
    return next(place for place, each in enumerate(found) if each)


def shown(value: Any) -> str:
    """A value as a request writes it, cut off where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def listed(names: Collection[str]) -> str:
    """Names in a sentence, of many the first."""
    rest = f" and {len(names) - SOME} more" if len(names) > SOME else ""
    return f"{', '.join([*names][:SOME])}{rest}"


def _flat(tensor: Tensor) -> tuple[Flat, list[int]]:
    """All values, and the shape in which they are nested."""
    level = tensor.data
    if not isinstance(level, list):
        raise RefusedError(f"the data of input {tensor.name!r} are {shown(level)}: write a list, [{shown(level)}]")
    nested = [len(level)]
    while list in (kinds := set(map(type, level))):
        lengths = set(map(len, level)) if kinds == {list} else set()
        if len(lengths) != 1:
            raise RefusedError(f"the data of input {tensor.name!r} are nested unevenly: write one flat list")
        nested.append(lengths.pop())
        if len(nested) > len(tensor.shape):
            raise RefusedError(
                f"the data of input {tensor.name!r} are nested deeper than its shape {[*tensor.shape]}: "
                "write one flat list"
            )
        level = list(chain.from_iterable(level))
    return Flat(level, kinds), nested


def _check(tensor: Tensor, found: Flat) -> None:
    """Raises RefusedError for the first value that its datatype does not have."""
    types, called = TYPES[tensor.datatype]
    kinds = found.kinds - {type(None)}
    if kinds - set(types):
        place = first(each is not None and type(each) not in types for each in found.values)
        value = found.values[place]
        way = f": write {shown(str(value))}" if tensor.datatype == TEXTS else ""
        raise RefusedError(
            f"input {tensor.name!r}, value {place + 1}: {shown(value)} is {WORDS.get(type(value), type(value))}, and "
            f"{tensor.datatype} has {called}{way}"
        )
    if tensor.datatype in WHOLE and kinds:
        low, high = bounds(tensor.datatype)
        if (float in kinds and not all(map(is_whole, found.present))) or not (
            low <= min(found.present) <= max(found.present) <= high
        ):
            place = first(each is not None and not (is_whole(each) and low <= each <= high) for each in found.values)
            raise RefusedError(
                f"input {tensor.name!r}, value {place + 1}: {shown(found.values[place])} is no {tensor.datatype}, "
                f"which is a whole number from {low} to {high}"
            )


def bounds(datatype: str) -> tuple[int, int]:
    """The smallest and the largest number of a datatype of whole numbers."""
    bits = WHOLE[datatype]
    return (0, 2**bits - 1) if datatype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def is_whole(number: float) -> bool:
    return math.isfinite(number) and number == int(number)
