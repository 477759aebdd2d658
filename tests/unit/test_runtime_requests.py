"""What a request asks a model: each value as the model's signature wants it without loss, or a sentence that says why
not."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pandas
import pytest
from hypothesis import given
from ml_runtime import request_inputs
from ml_runtime.tensor import TYPES, RefusedError, Tensor
from mlflow.models import ModelSignature
from mlflow.types.schema import Array, ColSpec, DataType, Schema, TensorSpec
from support import asked
from support.asked import Body, tensor

NO_TIME = "is no time by ISO 8601"
NO_CONTENT = "is no content in base64"


def model(*specs: Any) -> request_inputs.Inputs:
    return request_inputs.of(ModelSignature(inputs=Schema([*specs])))


IRIS = model(*(ColSpec("double", name) for name in asked.COLUMNS))
OPTIONAL = [ColSpec(kind, kind, required=False) for kind in ("double", "string", "datetime", "binary", "boolean")]


def made(inputs: request_inputs.Inputs, body: Body) -> Any:
    fields = ({"parameters": {}} | each for each in body["inputs"])
    return inputs.made([Tensor(**each) for each in fields])


def one(kind: Any, given: Body, required: bool = True) -> Any:
    """What a model of one column is asked."""
    return made(model(ColSpec(kind, "x", required=required)), {"inputs": [given]})["x"]


def refused(inputs: request_inputs.Inputs, body: Body) -> str:
    with pytest.raises(RefusedError) as said:
        made(inputs, body)
    return str(said.value)


def made_or_said(body: Body) -> tuple[Any, str | None]:
    try:
        return made(IRIS, body), None
    except RefusedError as said:
        return None, str(said)


@pytest.mark.parametrize("name", asked.RIGHT)
def test_a_request_may_be_written_in_several_ways(name: str) -> None:
    frame = made(IRIS, asked.RIGHT[name])
    assert list(frame.columns) == asked.COLUMNS
    assert set(frame.dtypes) == {numpy.dtype("float64")}
    assert [[round(value) for value in row] for row in frame.to_numpy().tolist()] == [
        [round(value) for value in row] for row in asked.ROWS
    ]


@pytest.mark.parametrize("name", asked.WRONG)
def test_a_wrong_request_is_refused_with_what_is_wrong(name: str) -> None:
    body, says = asked.WRONG[name]
    assert says in refused(IRIS, body)


@pytest.mark.parametrize(
    ("kind", "given", "value", "dtype"),
    [
        ("double", tensor("x", [3], "INT64"), 3.0, "float64"),
        ("double", tensor("x", [2**53], "UINT64"), 2.0**53, "float64"),
        ("float", tensor("x", [0.1]), pytest.approx(0.1), "float32"),
        ("long", tensor("x", [3.0]), 3, "int64"),
        ("long", tensor("x", [-(2**63)], "INT64"), -(2**63), "int64"),
        ("integer", tensor("x", [3], "INT64"), 3, "int32"),
        ("boolean", tensor("x", [True], "BOOL"), True, "bool"),
        ("boolean", tensor("x", [0], "INT8"), False, "bool"),
        ("string", tensor("x", ["ä"], "BYTES"), "ä", "object"),
        ("string", tensor("x", ["ä".encode()], "BYTES"), "ä", "object"),
        ("string", tensor("x", ["w6Q="], "BYTES", content_type="base64"), "ä", "object"),
        ("binary", tensor("x", ["aGVsbG8="], "BYTES"), b"hello", "object"),
        ("binary", tensor("x", [b"hello"], "BYTES"), b"hello", "object"),
        ("datetime", tensor("x", ["2026-11-29"], "BYTES"), pandas.Timestamp("2026-11-29"), "datetime64[ns]"),
        ("datetime", tensor("x", ["2026-11-29T21:00+01:00"], "BYTES"), pandas.Timestamp("2026-11-29T20:00"), None),
        (Array(DataType.long), tensor("x", ["[1, 2]"], "BYTES"), [1, 2], "object"),
    ],
)
def test_a_value_is_taken_where_nothing_of_it_is_lost(kind: Any, given: Body, value: Any, dtype: str | None) -> None:
    found = one(kind, given)
    assert found.iloc[0] == value
    assert str(found.dtype) == (dtype or "datetime64[ns]")


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("long", tensor("x", [3.5]), "row 1: 3.5 is no whole number that INT64 holds"),
        ("long", tensor("x", [1e300]), "1e+300 is no whole number that INT64 holds"),
        ("long", tensor("x", [2**63], "UINT64"), "9223372036854775808 is no whole number"),
        ("long", tensor("x", [math.inf]), "Infinity is no whole number"),
        ("integer", tensor("x", [2**31], "INT64"), "2147483648 is no whole number that INT32 holds"),
        ("float", tensor("x", [1e300]), "1e+300 is larger than FP32 holds"),
        ("double", tensor("x", [math.nan]), "NaN is no number: null stands for a missing one"),
        ("boolean", tensor("x", [2], "INT8"), "2 is neither true nor false"),
        ("string", tensor("x", [7], "INT64"), "takes texts, and the request has INT64 for it: send BYTES, like"),
        ("string", tensor("x", [7], "BYTES"), '7 is a number, and BYTES has texts: write "7"'),
        ("string", tensor("x", ["ä"], "BYTES", content_type="base64"), NO_CONTENT),
        ("string", tensor("x", ["/w=="], "BYTES", content_type="base64"), "no text in UTF-8"),
        ("binary", tensor("x", ["hello"], "BYTES"), NO_CONTENT),
        ("datetime", tensor("x", ["yesterday"], "BYTES"), NO_TIME),
        ("datetime", tensor("x", ["2026-13-01"], "BYTES"), NO_TIME),
        ("datetime", tensor("x", ["0001-01-01"], "BYTES"), NO_TIME),
        ("datetime", tensor("x", [5], "INT64"), "takes times, and the request has INT64"),
        (Array(DataType.long), tensor("x", ["[1"], "BYTES"), "is no JSON"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_the_rule(kind: Any, given: Body, says: str) -> None:
    message = refused(model(ColSpec(kind, "x")), {"inputs": [given]})
    assert says in message
    assert "'x'" in message


def test_what_may_be_missing_may_be_null_or_left_out() -> None:
    present = tensor("present", [1, 2])
    whole = model(ColSpec("double", "present"), *OPTIONAL)
    nulls = [tensor(each.name, [None, None], "FP64" if each.name == "double" else "BYTES") for each in OPTIONAL[:-1]]
    for body in ({"inputs": [present]}, {"inputs": [present, *nulls]}):
        frame = made(whole, body)
        assert frame.isna().sum().tolist() == [0, 2, 2, 2, 2, 2]
        assert str(frame["datetime"].dtype) == "datetime64[ns]"
        assert frame["string"].tolist() == [None, None]


def test_a_null_stands_among_values() -> None:
    assert one("double", tensor("x", [1, None]), required=False).tolist() == pytest.approx([1, math.nan], nan_ok=True)
    assert one("string", tensor("x", ["a", None], "BYTES"), required=False).tolist() == ["a", None]
    assert one("boolean", tensor("x", [True, None], "BOOL"), required=False).tolist() == [True, None]


def test_nothing_stands_for_a_whole_number_that_is_missing() -> None:
    optional = model(ColSpec("long", "x", required=False), ColSpec("double", "y"))
    body = {"inputs": [tensor("x", [None], "INT64"), tensor("y", [1])]}
    assert "nothing stands for a missing value of this type" in refused(optional, body)
    assert list(made(optional, {"inputs": body["inputs"][1:]}).columns) == ["y"]


def test_a_model_of_texts_takes_no_tensor_of_numbers() -> None:
    mixed = model(ColSpec("double", "x"), ColSpec("string", "y"))
    assert "missing: x, y; unknown: input-0" in refused(mixed, asked.matrix([1, 2], [[1, 2]]))


def test_columns_without_names_are_taken_by_their_place() -> None:
    unnamed = model(ColSpec("double"), ColSpec("double"))
    for body in (asked.matrix([1, 2], [[1, 2]]), {"inputs": [tensor("input-1", [2]), tensor("input-0", [1])]}):
        assert made(unnamed, body).to_dict("list") == {0: [1.0], 1: [2.0]}


def test_a_model_of_arrays_takes_them_in_its_shape() -> None:
    array = model(TensorSpec(numpy.dtype("float32"), (-1, 2)))
    found = made(array, {"inputs": [tensor("any", [[1, 2]], shape=[1, 2])]})
    assert (found.tolist(), found.dtype) == ([[1.0, 2.0]], numpy.dtype("float32"))
    for shape, data in (([2], [1, 2]), ([1, 3], [1, 2, 3]), ([0, 2], [])):
        message = refused(array, {"inputs": [tensor("any", data, shape=shape)]})
        assert f"has the shape {shape}, and the model takes [-1, 2]" in message
    several = model(TensorSpec(numpy.dtype("int64"), (-1,), "a"), TensorSpec(numpy.dtype("float64"), (-1, 1), "b"))
    named = made(several, {"inputs": [tensor("b", [0.5], shape=[1, 1]), tensor("a", [1])]})
    assert {name: each.tolist() for name, each in named.items()} == {"a": [1], "b": [[0.5]]}
    assert "missing: b" in refused(several, {"inputs": [tensor("a", [1])]})


def test_a_model_without_a_signature_is_asked_what_the_request_has() -> None:
    body = {"inputs": [tensor("a", [1], "INT32"), tensor("b", [None], "FP32"), tensor("c", ["x"], "BYTES")]}
    frame = made(request_inputs.of(None), body)
    assert [*map(str, frame.dtypes)] == ["int32", "float32", "object"]


def test_an_input_tells_what_it_takes() -> None:
    told = [(each.datatype, each.content_type, each.required) for each in model(*OPTIONAL).wanted]
    assert told[0] == ("FP64", "np", False)
    assert [datatype for datatype, _, _ in told] == ["FP64", "BYTES", "BYTES", "BYTES", "BOOL"]
    assert {datatype for datatype, _, _ in told} <= set(TYPES)


@asked.many(300)
@given(asked.drawn)
def test_whatever_is_asked_is_taken_as_it_is_or_refused_in_one_line(body: Body) -> None:
    frame, said = made_or_said(body)
    if said is not None:
        assert len(said) > 20
        assert "\n" not in said
        return
    rows = frame.to_numpy()
    assert rows.shape == (len(frame), 4)
    assert len(frame) > 0
    assert numpy.isfinite(rows).all()
    for each in body["inputs"]:
        if each["name"] in asked.COLUMNS:
            values = [value[0] if isinstance(value, list) else value for value in each["data"]]
            assert frame[each["name"]].tolist() == values
