"""Requests of protocol v2 to the model of iris flowers: right ones, wrong ones and what is said of them, drawn ones.

The unit tests give them to what decodes them, the tests on the node to the served model.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from ml_runtime.tensor import TYPES
from support.flowers import FLOWERS

COLUMNS = list(FLOWERS["Iris-setosa"])
FIRST = COLUMNS[0]
Body = dict[str, Any]


def tensor(name: str, data: Any, datatype: str = "FP64", shape: list[int] | None = None, **parameters: Any) -> Body:
    shape = [len(data)] if shape is None else shape
    given = {"parameters": parameters} if parameters else {}
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **given}


def flowers(*others: Body, without: str | None = None) -> Body:
    """All three, with inputs in place of those of the same name."""
    inputs = {name: tensor(name, [flower[name] for flower in FLOWERS.values()]) for name in COLUMNS}
    inputs |= {each["name"]: each for each in others}
    return {"inputs": [each for name, each in inputs.items() if name != without]}


def matrix(shape: list[int], data: Any, **parameters: Any) -> Body:
    return {"inputs": [tensor("input-0", data, "FP32", shape, **parameters)]}


ROWS = [list(flower.values()) for flower in FLOWERS.values()]
RIGHT: dict[str, Body] = {
    "as in the README": {"parameters": {"content_type": "pd"}, **flowers()},
    "in another order": {"inputs": flowers()["inputs"][::-1]},
    "whole numbers": flowers(tensor(FIRST, [5, 6, 6], "INT64")),
    "small ones": flowers(tensor(FIRST, [5, 6, 6], "UINT8")),
    "FP32": flowers(tensor(FIRST, [5.1, 6, 6.3], "FP32")),
    "a table of one column": flowers(tensor(FIRST, [[5.1], [6.0], [6.3]], shape=[3, 1])),
    "the same, flat": flowers(tensor(FIRST, [5.1, 6.0, 6.3], shape=[3, 1])),
    "one tensor": matrix([3, 4], ROWS),
    "one tensor, flat": matrix([3, 4], [value for row in ROWS for value in row]),
    "one tensor with names": matrix([3, 4], [row[::-1] for row in ROWS], columns=COLUMNS[::-1]),
    "an output by its name": {**flowers(), "outputs": [{"name": "output-0"}]},
}
WRONG: dict[str, tuple[Body, str]] = {
    "missing": (flowers(without=FIRST), f"missing: {FIRST}; the model takes {FIRST} (FP64), "),
    "a slip": (flowers(tensor("sepal_lenght", [1]), without=FIRST), f"unknown: sepal_lenght (did you mean '{FIRST}'?)"),
    "unknown": (flowers(tensor("colour", [1, 2, 3])), "unknown: colour; the model takes"),
    "twice": ({"inputs": flowers()["inputs"] * 2}, f"given twice: {', '.join(COLUMNS)}; the model"),
    "no inputs": ({"inputs": []}, "missing: "),
    "no rows": ({"inputs": [tensor(name, []) for name in COLUMNS]}, "the request has no rows"),
    "uneven": (flowers(tensor(FIRST, [1.0])), f"{FIRST} 1, sepal_width 3"),
    "text": (flowers(tensor(FIRST, ["1", "2", "3"], "BYTES")), f"'{FIRST}' takes numbers, and the request has BYTES"),
    "text among numbers": (flowers(tensor(FIRST, [1, "2", 3])), 'value 2: "2" is a text, and FP64 has numbers'),
    "NaN as a text": (flowers(tensor(FIRST, [1, "NaN", 3])), 'value 2: "NaN" is a text, and FP64 has numbers'),
    "truth": (flowers(tensor(FIRST, [True] * 3, "BOOL")), "takes numbers, and the request has BOOL"),
    "truth among numbers": (flowers(tensor(FIRST, [1, True, 3])), "value 2: true is true or false, and FP64 has"),
    "an object": (flowers(tensor(FIRST, [1, {"a": 1}, 3])), 'value 2: {"a": 1} is an object'),
    "null": (flowers(tensor(FIRST, [1.0, None, 3.0])), f"column '{FIRST}', row 2: null, and its values are never"),
    "lossy": (flowers(tensor(FIRST, [2**53 + 1, 1, 1], "INT64")), "row 1: 9007199254740993 has more digits than FP64"),
    "a fraction": (flowers(tensor(FIRST, [1, 2.5, 3], "INT64")), "value 2: 2.5 is no INT64, which is a whole number"),
    "out of range": (flowers(tensor(FIRST, [1, 2, 300], "UINT8")), "value 3: 300 is no UINT8, which is a whole number"),
    "a shape of more": (flowers(tensor(FIRST, [1, 2, 3], shape=[4])), "has the shape [4], and its data are 3 values"),
    "a shape below 0": (flowers(tensor(FIRST, [1, 2, 3], shape=[-1])), "write how many values there are"),
    "rows as columns": (flowers(tensor(FIRST, [1, 2, 3], shape=[1, 3])), "write [n] or [n, 1] for n rows"),
    "unevenly nested": (flowers(tensor(FIRST, [[1], [2, 3]], shape=[3, 1])), "are nested unevenly"),
    "too deep": (flowers(tensor(FIRST, [[[1]]], shape=[1])), "are nested deeper than its shape [1]"),
    "no list": (flowers(tensor(FIRST, 5, shape=[1])), "are 5: write a list, [5]"),
    "too few columns": (matrix([1, 3], [[1, 2, 3]]), "is 3 columns, and the model takes 4: send sepal_length, "),
    "wrong names": (matrix([1, 4], ROWS[:1], columns=["a", "b", "c", "d"]), "unknown: a, b, c, d; the model takes"),
    "too few names": (matrix([1, 4], ROWS[:1], columns=["a"]), "its parameter 'columns' is [\"a\"]"),
}  # fmt: skip

names = st.sampled_from([*COLUMNS, "sepal_lenght", "", "ä"])
values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**64 - 1), st.integers(-9, 9), st.none(),
    st.booleans(), st.text(max_size=3), st.just({"a": 1}), st.lists(st.integers(0, 9), max_size=2),
)  # fmt: skip
tensors = st.builds(
    tensor, names, st.lists(values, max_size=4), st.sampled_from([*TYPES]),
    st.lists(st.integers(-1, 4), max_size=3) | st.just([3]) | st.just([3, 1]),
)  # fmt: skip
numbers = st.lists(st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9), min_size=3, max_size=3)
columns = st.builds(tensor, st.sampled_from(COLUMNS), numbers, st.sampled_from(["FP64", "FP32", "INT64"]))
drawn: st.SearchStrategy[Body] = st.one_of(
    st.builds(lambda inputs: {"inputs": inputs}, st.lists(tensors, max_size=5)),
    st.builds(lambda inputs: flowers(*inputs), st.lists(columns, max_size=4)),
    st.builds(lambda inputs: flowers(*inputs), st.lists(tensors | columns, min_size=1, max_size=2)),
    st.sampled_from([*RIGHT.values(), *(body for body, _ in WRONG.values())]).map(copy.deepcopy),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(-1e300, 1e300) | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=5,
)
OF_A_REQUEST, OF_AN_INPUT = ("inputs", "outputs", "parameters", "id"), (*tensor("", []), "parameters")


def _spoilt(field: str, value: Any) -> Body:
    body = flowers()
    (body if field in OF_A_REQUEST else body["inputs"][0])[field] = value
    return body


def _with_parameter(name: str, value: Any) -> Body:
    return flowers(tensor(FIRST, [1, 2, 3], **{name: value})) | {"parameters": {name: value}}


spoilt: st.SearchStrategy[Any] = st.one_of(
    json_values,
    st.builds(_spoilt, st.sampled_from([*OF_A_REQUEST, *OF_AN_INPUT]), json_values),
    st.builds(_with_parameter, st.sampled_from(["content_type", "headers", "columns", "x", "_"]), json_values),
)
"""What may not even be a request."""


flower = st.fixed_dictionaries({name: st.floats(-9, 9) | values for name in COLUMNS})
instances: st.SearchStrategy[Any] = st.builds(
    lambda given: {"instances": given},
    st.lists(flower, max_size=3)
    | st.lists(st.lists(values, min_size=3, max_size=5) | flower | json_values, max_size=3)
    | st.lists(st.lists(st.floats(-9, 9), min_size=4, max_size=4), max_size=3)
    | json_values,
)
"""Requests of protocol v1."""


def many(examples: int) -> Callable[[Any], Any]:
    """A test for so many examples of what it draws, the same ones by the run's own seed."""

    def decorate(test: Any) -> Any:
        quick = settings(
            max_examples=examples, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[*HealthCheck],
        )  # fmt: skip
        return seed(int(os.environ["ML_PLATFORM_SEED"]))(quick(test))

    return decorate
