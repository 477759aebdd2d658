"""KServe's protocol v1 as protocol v2: the inputs that its instances are, and the predictions that outputs are.

It owns the two shapes and nothing of a model: what the values of an input may be is said where protocol v2 is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ml_runtime.response_outputs import Output
from ml_runtime.tensor import RefusedError, listed, shown

LIKE = '{"instances": [{"<column>": ...}]} or {"instances": [[...]]}'
BASE64 = "b64"
"""The only key of an object that stands for bytes."""
ALL = "instances"
"""The input that all instances are, where they are arrays."""
Input = dict[str, Any]


def inputs(body: Any, names: Sequence[str]) -> list[Input]:
    """Inputs of protocol v2, for a model whose inputs have these names.

    Raises:
        RefusedError: the body is none of protocol v1, or its instances differ in what they are.
    """
    instances = body.get("instances") if isinstance(body, Mapping) else None
    if not isinstance(instances, list):
        raise RefusedError(f"the body is no request of protocol v1, which is like {LIKE}")
    if not instances:
        raise RefusedError(f"there are no instances; give one at least, like {LIKE}")
    kinds = {_kind(each) for each in instances}
    if len(kinds) > 1:
        raise RefusedError(f"the instances are {listed(sorted(kinds))}: write all of them in one way, like {LIKE}")
    if kinds == {"objects"}:
        return [_input(name, values) for name, values in _by_name(instances).items()]
    if kinds == {"values"}:
        return [_input(names[0] if len(names) == 1 else ALL, instances)]
    flat_rows = all(not isinstance(value, list) for row in instances for value in row)
    if flat_rows and len(names) > 1 and all(len(row) == len(names) for row in instances):
        return [_input(name, [row[place] for row in instances]) for place, name in enumerate(names)]
    return [_array(names[0] if len(names) == 1 else ALL, instances)]


def predictions(outputs: Sequence[Output]) -> list[Any]:
    """What each instance is answered: a value or a list, or an object of those where there are several outputs."""
    found = {each.name: _rows(each) for each in outputs}
    if len(found) == 1:
        return next(iter(found.values()))
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]


def _kind(instance: Any) -> str:
    if isinstance(instance, Mapping) and set(instance) != {BASE64}:
        return "objects"
    return "lists" if isinstance(instance, list) else "values"


def _by_name(instances: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of each column; one that an instance leaves out is null there."""
    names = dict.fromkeys(name for each in instances for name in each)
    return {name: [each.get(name) for each in instances] for name in names}


def _input(name: str, values: Sequence[Any]) -> Input:
    coded = [isinstance(each, Mapping) and set(each) == {BASE64} for each in values]
    if any(coded):
        values = [each[BASE64] if code else each for each, code in zip(values, coded, strict=True)]
    parameters = {"parameters": {"content_type": "base64"}} if any(coded) else {}
    return {"name": name, "shape": [len(values)], "datatype": _datatype(values), "data": [*values], **parameters}


def _array(name: str, instances: list[Any]) -> Input:
    shape, level = [len(instances)], instances
    while level and all(isinstance(each, list) for each in level):
        if len(sizes := {len(each) for each in level}) > 1:
            raise RefusedError(f"the instances are nested unevenly: lists of {listed(sorted(map(str, sizes)))} values")
        shape.append(sizes.pop())
        level = [value for each in level for value in each]
    return {"name": name, "shape": shape, "datatype": _datatype(level), "data": level}


def _datatype(values: Sequence[Any]) -> str:
    """That of values of JSON; texts where they are of several kinds, which then names the first that is none."""
    kinds = {type(each) for each in values} - {type(None)}
    if wrong := kinds - {bool, int, float, str}:
        value = next(each for each in values if type(each) in wrong)
        raise RefusedError(f"{shown(value)} stands where a value is to be: a number, a text, true, false or null")
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"


def _rows(output: Output) -> list[Any]:
    """The values of an output by instance."""
    data = [each.decode() if isinstance(each, bytes) else each for each in output.data]
    width = 1
    for size in output.shape[1:]:
        width *= size
    return data if width == 1 else [data[place : place + width] for place in range(0, len(data), width)]
