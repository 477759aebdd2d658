"""What a model answers as outputs of protocol v2: a table's columns, an array, a list, or several arrays by name.

Values that tensors do not have become ones that they do: times are texts, missing numbers null, objects JSON. Which of
the outputs a request wants is decided here too. Nothing here needs a model server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ml_runtime.tensor import RefusedError, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

ONLY = "output-1"
"""The output of a model that answers one array."""
DATATYPES = {"bool": "BOOL", "float16": "FP16", "float32": "FP32", "float64": "FP64"}


@dataclass(frozen=True)
class Output:
    """One output."""

    name: str
    shape: Sequence[int]
    datatype: str
    data: list[Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """All of an answer."""

    content_type: str
    each: tuple[Output, ...]


def of(answer: Any) -> Outputs:
    """The outputs that an answer is."""
    import numpy
    import pandas

    if isinstance(answer, pandas.DataFrame):
        columns = ((str(name), answer.iloc[:, place].to_numpy()) for place, name in enumerate(answer.columns))
        return Outputs("pd", tuple(output(name, values, None) for name, values in columns))
    if isinstance(answer, Mapping):
        return Outputs("dict", tuple(output(str(name), _array(values), "np") for name, values in answer.items()))
    texts = isinstance(answer, list) and answer and all(isinstance(each, str) for each in answer)
    content_type = "str" if texts else "np"
    array = numpy.array(answer, dtype=object) if texts else _array(answer)
    return Outputs(content_type, (output(ONLY, array, content_type),))


def output(name: str, values: NDArray[Any], content_type: str | None) -> Output:
    """An array as one output."""
    shape = [*values.shape] if values.ndim > 1 else [*(values.shape or (1,)), 1]
    datatype, data, own = _encoded(values.ravel())
    content_type = own if own == "pd_json" or (own and content_type is None) else content_type
    return Output(name, shape, datatype, data, {"content_type": content_type} if content_type else {})


def wanted(found: Outputs, names: Sequence[str], told: Sequence[str]) -> Outputs:
    """The outputs that a request names; all where it names none. `told` are the names in the model's metadata.

    Raises:
        RefusedError: there is none of such a name.
    """
    if not names:
        return found
    by_name = {each.name: each for each in found.each}
    if len(told) == len(found.each):
        by_name = {**dict(zip(told, found.each, strict=True)), **by_name}
    if unknown := [name for name in names if name not in by_name]:
        raise RefusedError(f"there is no output {listed(unknown)}; the model answers {listed(sorted(by_name))}")
    return Outputs(found.content_type, tuple(by_name[name] for name in dict.fromkeys(names)))


def _array(values: Any) -> NDArray[Any]:
    import numpy

    dense = values.toarray() if hasattr(values, "toarray") else values
    try:
        return numpy.asarray(dense)
    except ValueError:  # lists that are not equally long
        return _objects(dense)


def _objects(values: Iterable[Any]) -> NDArray[Any]:
    import numpy

    found = [*values]
    objects = numpy.empty(len(found), dtype=object)
    objects[:] = found
    return objects


def _encoded(flat: NDArray[Any]) -> tuple[str, list[Any], str | None]:
    """The datatype, the values, and the content type where a datatype does not tell it."""
    import numpy

    if flat.dtype.name in DATATYPES or flat.dtype.kind in "iu":
        data = flat.tolist()
        if flat.dtype.kind == "f" and not numpy.isfinite(flat).all():
            data = [each if finite else None for each, finite in zip(data, numpy.isfinite(flat).tolist(), strict=True)]
        return DATATYPES.get(flat.dtype.name, flat.dtype.name.upper()), data, None
    if flat.dtype.kind == "M":
        times = numpy.datetime_as_string(flat, timezone="UTC").tolist()
        return "BYTES", [None if each == "NaT" else each.encode() for each in times], "datetime"
    found = flat.tolist()
    if all(issubclass(kind, str) for kind in set(map(type, found))):  # NumPy's too
        return "BYTES", [each.encode() for each in found], "str"
    return _of_objects([each.item() if isinstance(each, numpy.generic) else each for each in found])


def _of_objects(found: Sequence[Any]) -> tuple[str, list[Any], str | None]:
    import numpy

    missing = [each is None or each != each for each in map(_scalar, found)]
    kinds = {type(each) for each, absent in zip(found, missing, strict=True) if not absent}
    if kinds <= {str, bytes}:
        texts = [each.encode() if isinstance(each, str) else each for each in found]
        return "BYTES", [None if absent else each for each, absent in zip(texts, missing, strict=True)], "str"
    if kinds <= {int, float} or (kinds == {bool} and not any(missing)):
        numbers = [float("nan") if absent else each for each, absent in zip(found, missing, strict=True)]
        return _encoded(numpy.array(numbers))
    return "BYTES", [json.dumps(each, default=_plain, ensure_ascii=False).encode() for each in found], "pd_json"


def _scalar(value: Any) -> Any:
    """The value where it can be compared with itself."""
    return value if isinstance(value, float | type(None)) else True


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
