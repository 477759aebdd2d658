"""What is before and after a model: the rows that it is asked, the answers that come back, whose fault is what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ml_runtime import transformer
from ml_runtime.transformer import RefusingError, Transformer

V1, V2 = "/v1/models/mpg:predict", "/v2/models/mpg/infer"


def before(rows: list[Any]) -> list[Any]:
    return [{"weight": row["kg"] * 2} for row in rows]


def after(predictions: list[Any], rows: list[Any]) -> list[Any]:
    return [12 / value for value, _ in zip(predictions, rows, strict=True)]


def halves(rows: list[Any]) -> list[Any]:
    """A model."""
    return [row["weight"] / 2 for row in rows]


WHOLE = Transformer(before, after, halves)


def answered(path: str, body: Any, around: Transformer = WHOLE) -> tuple[int, dict[str, Any]]:
    match = transformer.ASKED.fullmatch(path)
    assert match
    return transformer._answered(around, match, body if isinstance(body, bytes) else json.dumps(body).encode())


def column(name: str, *data: Any, shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "datatype": "FP64", "shape": shape or [len(data)], "data": [*data]}


def test_protocol_v1_is_answered_in_its_own_shape() -> None:
    assert answered(V1, {"instances": [{"kg": 3}, {"kg": 4}]}) == (200, {"predictions": [4.0, 3.0]})


@pytest.mark.parametrize("data", [[3.0, 4.0], [[3.0], [4.0]]], ids=["flat", "nested"])
def test_protocol_v2_is_too(data: list[Any]) -> None:
    status, found = answered(V2, {"inputs": [column("kg", *data)]})
    output = {"name": "predictions", "shape": [2], "datatype": "FP64", "data": [4.0, 3.0]}
    assert (status, found) == (200, {"model_name": "mpg", "outputs": [output]})


def test_one_tensor_is_rows_of_values() -> None:
    sums = Transformer(None, None, lambda rows: [sum(row) for row in rows])
    for data in ([1.0, 2.0, 3.0, 4.0], [[1.0, 2.0], [3.0, 4.0]]):
        _, found = answered(V2, {"inputs": [column("rows", *data, shape=[2, 2])]}, sums)
        assert found["outputs"][0]["data"] == [3.0, 7.0]


def test_either_of_the_two_may_be_left_out() -> None:
    rows = {"instances": [{"weight": 6}]}
    assert answered(V1, rows, Transformer(None, after, halves)) == (200, {"predictions": [4.0]})
    assert answered(V1, {"instances": [{"kg": 3}]}, Transformer(before, None, halves)) == (200, {"predictions": [3.0]})


def gone(_: list[Any]) -> list[Any]:
    raise RefusingError(400, "missing: weight")


def broken(_: list[Any], __: list[Any]) -> list[Any]:
    raise KeyError("no such unit")


@pytest.mark.parametrize(
    ("path", "body", "around", "status", "says"),
    [
        (V1, {"instances": [{"lbs": 3}]}, WHOLE, 400, "the rows don't fit what is made of them: KeyError: 'kg'"),
        (V1, {"instances": [{"kg": "heavy"}]}, Transformer(before, None, gone), 400, "missing: weight"),
        (V1, {"instances": []}, WHOLE, 400, "the body is no request of protocol v1, which is like"),
        (V1, {"rows": []}, WHOLE, 400, "the body is no request of protocol v1, which is like"),
        (V1, b"{", WHOLE, 400, "the body is no JSON: "),
        (V2, {"instances": []}, WHOLE, 400, "the body is no request of protocol v2, which is like"),
        (V2, {"inputs": []}, WHOLE, 400, "the inputs have no rows"),
        (V2, {"inputs": [column("kg", 1), column("b", 1, 2)]}, WHOLE, 400, "the inputs have 1, 2 rows"),
        (
            V1,
            {"instances": [{"kg": 3}]},
            Transformer(before, broken, halves),
            500,
            "after failed in test_runtime_trans",
        ),
    ],
)
def test_whose_fault_it_is_is_said(path: str, body: Any, around: Transformer, status: int, says: str) -> None:
    found = answered(path, body, around)
    assert found[0] == status
    assert says in found[1]["error"]
