"""Requests of protocol v1 as inputs of protocol v2, and what is answered as its predictions."""

from __future__ import annotations

from typing import Any

import pytest
from ml_runtime import protocol_v1
from ml_runtime.response_outputs import Output
from ml_runtime.tensor import RefusedError

NAMES = ("length", "colour")


def made(*instances: Any, names: tuple[str, ...] = NAMES) -> dict[str, tuple[Any, ...]]:
    """Datatype, shape and data of each input."""
    found = protocol_v1.inputs({"instances": [*instances]}, names)
    return {each["name"]: (each["datatype"], each["shape"], each["data"]) for each in found}


@pytest.mark.parametrize(
    ("instances", "inputs"),
    [
        (
            [{"length": 1.5, "colour": "red"}, {"colour": "blue", "length": 2}],
            {"length": ("FP64", [2], [1.5, 2]), "colour": ("BYTES", [2], ["red", "blue"])},
        ),
        ([[1, "red"], [2, None]], {"length": ("INT64", [2], [1, 2]), "colour": ("BYTES", [2], ["red", None])}),
        (
            [{"length": 1}, {"length": 2, "colour": "red"}],
            {"length": ("INT64", [2], [1, 2]), "colour": ("BYTES", [2], [None, "red"])},
        ),
        ([{"length": True}], {"length": ("BOOL", [1], [True])}),
        ([{"length": None}], {"length": ("FP64", [1], [None])}),
        ([[1.0, 2.0, 3.0]], {"instances": ("FP64", [1, 3], [1.0, 2.0, 3.0])}),
        ([[[1, 2], [3, 4]]], {"instances": ("INT64", [1, 2, 2], [1, 2, 3, 4])}),
    ],
    ids=["objects", "lists in the model's order", "a column that one lacks", "truth", "nothing", "a row", "an array"],
)
def test_instances_are_inputs(instances: list[Any], inputs: dict[str, Any]) -> None:
    assert made(*instances) == inputs


def test_a_model_of_one_input_takes_values_and_arrays_under_its_name() -> None:
    assert made("a text", "another", names=("text",)) == {"text": ("BYTES", [2], ["a text", "another"])}
    assert made([1, 2], [3, 4], names=("pixels",)) == {"pixels": ("INT64", [2, 2], [1, 2, 3, 4])}


def test_bytes_are_given_in_base64() -> None:
    (found,) = protocol_v1.inputs(
        {"instances": [{"content": {"b64": "AAE="}}, {"content": {"b64": "Ag=="}}]}, ("content",)
    )
    assert (found["data"], found["parameters"]) == (["AAE=", "Ag=="], {"content_type": "base64"})
    (alone,) = protocol_v1.inputs({"instances": [{"b64": "AAE="}]}, ("content",))
    assert (alone["name"], alone["data"]) == ("content", ["AAE="])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "the body is no request of protocol v1, which is like {"),
        ({"inputs": []}, "the body is no request of protocol v1, which is like {"),
        ({"instances": {"a": 1}}, "the body is no request of protocol v1, which is like {"),
        ({"instances": []}, "there are no instances"),
        ({"instances": [[1, 2], {"a": 1}]}, "the instances are lists, objects: write all of them in one way"),
        ({"instances": [[[1, 2], [3]]]}, "nested unevenly: lists of 1, 2 values"),
        ({"instances": [{"a": [1]}]}, "[1] stands where a value is to be"),
        ({"instances": [{"a": {"c": 1}}]}, '{"c": 1} stands where a value is to be'),
    ],
)
def test_what_is_no_request_is_told_what_is_one(body: Any, says: str) -> None:
    with pytest.raises(RefusedError) as refused:
        protocol_v1.inputs(body, NAMES)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("outputs", "predictions"),
    [
        ([Output("output-1", [2, 1], "BYTES", [b"setosa", b"virginica"])], ["setosa", "virginica"]),
        ([Output("output-1", [2], "FP64", [1.5, None])], [1.5, None]),
        ([Output("p", [2, 2], "FP64", [0.1, 0.9, 0.8, 0.2])], [[0.1, 0.9], [0.8, 0.2]]),
        (
            [Output("a", [2, 1], "INT64", [1, 2]), Output("b", [2, 1], "BYTES", ["x", "y"])],
            [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        ),
    ],
    ids=["texts", "numbers", "a list each", "several outputs"],
)
def test_outputs_are_predictions(outputs: list[Output], predictions: list[Any]) -> None:
    assert protocol_v1.predictions(outputs) == predictions
