"""What a model is asked, made of a request's tensors by the model's own signature: a DataFrame, an array, or several.

It owns which inputs there are, and says of a request all that is missing, unknown or given twice. What values of one
input may be is the business of ml_runtime.tensor_values.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from ml_runtime.tensor import NUMBERS, Flat, RefusedError, Tensor, flat, listed, shown
from ml_runtime.tensor_values import COLUMN, Given, Wanted, absent, can_miss, column

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema
    from pandas import DataFrame

PREFIX = "input-"
"""An input without a name is called so, with its number."""
COLUMNS = "columns"
"""The parameter of a tensor that names its columns."""
_TYPES: Mapping[str, tuple[str, str, str, str]] = {
    "boolean": ("truth", "BOOL", "np", "bool"),
    "integer": ("whole", "INT32", "np", "int32"),
    "long": ("whole", "INT64", "np", "int64"),
    "float": ("number", "FP32", "np", "float32"),
    "double": ("number", "FP64", "np", "float64"),
    "string": ("text", "BYTES", "str", "object"),
    "binary": ("file", "BYTES", "base64", "object"),
    "datetime": ("time", "BYTES", "datetime", "datetime64[ns]"),
}
"""By MLflow's type of a column: what it wants, as which datatype and content type, and NumPy's type."""
_JSON = ("json", "BYTES", "pd_json", "object")
_DTYPES = {
    "BOOL": "bool", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    **{each: each.lower() for each in NUMBERS if "INT" in each},
}  # fmt: skip


class Inputs(Protocol):
    """What a model takes."""

    @property
    def content_type(self) -> str:
        """That of a whole request."""

    @property
    def wanted(self) -> Sequence[Wanted]:
        """Each of the inputs that it names."""

    def made(self, tensors: Sequence[Tensor]) -> Any:
        """What the model is asked.

        Raises:
            RefusedError: the tensors are not what it takes.
        """


def of(signature: ModelSignature | None) -> Inputs:
    """Those of a model with this signature."""
    return Untyped() if signature is None or signature.inputs is None else of_schema(signature.inputs)


def of_schema(schema: Schema, prefix: str = PREFIX) -> Inputs:
    """Those that MLflow's schema names."""
    specs: list[tuple[int, Any]] = list(enumerate(schema.inputs))
    named = schema.has_input_names()
    if schema.is_tensor_spec():
        arrays = (_of_dtype(spec.name or f"{prefix}{place}", spec.type, spec.shape) for place, spec in specs)
        return Arrays(tuple(arrays), named)
    return Columns(
        tuple(_of_type(spec.name or f"{prefix}{place}", spec.type, spec.required) for place, spec in specs), named
    )


def _of_type(name: str, of_mlflow: Any, required: bool) -> Wanted:
    kind, datatype, content_type, dtype = _TYPES.get(getattr(of_mlflow, "name", ""), _JSON)
    return Wanted(name, kind, datatype, content_type, dtype, required)


def _of_dtype(name: str, dtype: Any, shape: tuple[int, ...] = COLUMN) -> Wanted:
    datatype = next((each for each, known in _DTYPES.items() if known == dtype.name), "BYTES")
    kind = {"b": "truth", "f": "number", "i": "whole", "u": "whole"}.get(dtype.kind, "text")
    return Wanted(
        name, kind, datatype, "np" if datatype != "BYTES" else "str", _DTYPES.get(datatype, "object"), shape=shape
    )


def _of_datatype(tensor: Tensor) -> Wanted:
    """What a tensor is of itself."""
    import numpy

    return _of_dtype(tensor.name, numpy.dtype(_DTYPES.get(tensor.datatype, "object")))


@dataclass(frozen=True)
class Columns:
    """Columns of a table, one input each."""

    wanted: tuple[Wanted, ...]
    named: bool = True
    content_type: str = "pd"

    @cached_property
    def by_name(self) -> Mapping[str, Wanted]:
        return {each.name: each for each in self.wanted}

    def made(self, tensors: Sequence[Tensor]) -> DataFrame:
        import pandas

        given = self._matrix(tensors[0]) if len(tensors) == 1 else None
        if given is None:
            self.check_names([each.name for each in tensors])
            given = {each.name: _one_column(each) for each in tensors}
        rows = _rows(given)
        table = {
            each.name: column(each, given[each.name]) if each.name in given else absent(each, rows)
            for each in self.wanted
            if each.name in given or can_miss(each)
        }
        series = {name: pandas.Series(found, dtype=found.dtype, copy=False) for name, found in table.items()}
        frame = pandas.DataFrame(series)
        return frame if self.named else frame.set_axis(range(frame.shape[1]), axis=1)

    def _matrix(self, tensor: Tensor) -> dict[str, Given] | None:
        """The columns of one tensor with all of them; None if it is one column."""
        named = tensor.parameters.get(COLUMNS)
        one = self.named and tensor.name in self.by_name
        if one or len(tensor.shape) != 2 or not (named or self._all_numbers()):
            return None
        names = list(self.by_name) if named is None else named
        width = tensor.shape[1]
        if not isinstance(names, list) or len(names) != width or not all(isinstance(each, str) for each in names):
            what = (
                f"its parameter {COLUMNS!r} is {shown(named)}" if named is not None else f"the model takes {len(names)}"
            )
            raise RefusedError(
                f"input {tensor.name!r} has the shape {[*tensor.shape]}, which is {width} columns, and {what}: send "
                f"{', '.join(names) if named is None else 'a name for each column'}"
            )
        self.check_names(names)
        whole = flat(tensor)
        parts = (Flat(whole.values[place::width], whole.kinds) for place in range(width))
        return {name: Given(part, tensor.datatype) for name, part in zip(names, parts, strict=True)}

    def _all_numbers(self) -> bool:
        return all(each.kind in ("number", "whole") for each in self.wanted)

    def check_names(self, names: Sequence[str]) -> None:
        """Raises RefusedError for names that are missing, unknown or given twice."""
        there = set(names)
        missing = [each.name for each in self.wanted if each.required and each.name not in there]
        unknown = [name + self._meant(name) for name in names if name not in self.by_name]
        twice = [name for name, times in Counter(names).items() if times > 1]
        faults = (("missing", missing), ("unknown", unknown), ("given twice", twice))
        if said := "; ".join(f"{fault}: {listed(found)}" for fault, found in faults if found):
            raise RefusedError(f"{said}; the model takes {listed([each.told for each in self.wanted])}")

    def _meant(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.by_name, 1)
        return f" (did you mean {near[0]!r}?)" if near else ""


@dataclass(frozen=True)
class Untyped:
    """Columns as a request has them: the model says nothing of what it takes."""

    wanted: tuple[Wanted, ...] = ()
    content_type: str = "pd"

    def made(self, tensors: Sequence[Tensor]) -> DataFrame:
        return Columns(tuple(replace(_of_datatype(each), required=False) for each in tensors)).made(tensors)


@dataclass(frozen=True)
class Arrays:
    """Arrays of several dimensions: one without a name, or several by their names."""

    wanted: tuple[Wanted, ...]
    named: bool

    @property
    def content_type(self) -> str:
        return "dict" if self.named else "np"

    def made(self, tensors: Sequence[Tensor]) -> Any:
        if not self.named and len(tensors) == 1:
            tensors = [replace(tensors[0], name=self.wanted[0].name)]
        Columns(self.wanted).check_names([each.name for each in tensors])
        by_name = {each.name: each for each in tensors}
        found = {each.name: _array(each, by_name[each.name]) for each in self.wanted}
        return found if self.named else found[self.wanted[0].name]


def _array(wanted: Wanted, tensor: Tensor) -> Any:
    shape = wanted.shape
    fits = len(shape) == len(tensor.shape) and all(
        size in (-1, given) and given > 0 for size, given in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        raise RefusedError(
            f"input {tensor.name!r} has the shape {[*tensor.shape]}, and the model takes {[*shape]}, where -1 is any "
            "number but 0"
        )
    given = Given(flat(tensor), tensor.datatype, tensor.parameters.get("content_type"))
    return column(wanted, given).astype(wanted.dtype).reshape(tensor.shape)


def _one_column(tensor: Tensor) -> Given:
    if len(tensor.shape) not in (1, 2) or (len(tensor.shape) == 2 and tensor.shape[1] != 1):
        raise RefusedError(
            f"column {tensor.name!r} has the shape {[*tensor.shape]}: write [n] or [n, 1] for n rows of one column"
        )
    return Given(flat(tensor), tensor.datatype, tensor.parameters.get("content_type"))


def _rows(given: Mapping[str, Given]) -> int:
    """How many rows there are, of every column as many."""
    lengths = {name: len(each.flat.values) for name, each in given.items()}
    if len(set(lengths.values())) > 1:
        told = listed([f"{name} {length}" for name, length in lengths.items()])
        raise RefusedError(f"the columns differ in their number of rows: {told}; give each as many")
    rows = max(lengths.values(), default=0)
    if not rows:
        raise RefusedError("the request has no rows: give each column a value at least")
    return rows
