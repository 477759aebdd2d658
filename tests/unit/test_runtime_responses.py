"""What a model's answer is as outputs of protocol v2, which of them a request gets, and what is said of a request that
no model sees."""

from __future__ import annotations

from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import response_outputs, wrong_requests
from ml_runtime.tensor import RefusedError

ONLY = response_outputs.ONLY
NUMPY = {"content_type": "np"}
TEXT = {"content_type": "str"}
TABLE = pandas.DataFrame(
    {"label": ["a", None], "sure": [0.5, numpy.nan], "n": [1, 2], "at": pandas.to_datetime(["2026-11-29", None])}
)
LABELS = numpy.array([numpy.str_("a"), "b"], dtype=object)


@pytest.mark.parametrize(
    ("answer", "content_type", "outputs"),
    [
        (LABELS, "np", [(ONLY, [2, 1], "BYTES", [b"a", b"b"], NUMPY)]),
        (numpy.array(["a", "b"]), "np", [(ONLY, [2, 1], "BYTES", [b"a", b"b"], NUMPY)]),
        (numpy.array([1, 2]), "np", [(ONLY, [2, 1], "INT64", [1, 2], NUMPY)]),
        (numpy.array([[1.5, numpy.nan]], dtype="float32"), "np", [(ONLY, [1, 2], "FP32", [1.5, None], NUMPY)]),
        (numpy.array([True]), "np", [(ONLY, [1, 1], "BOOL", [True], NUMPY)]),
        (numpy.array([1, None], dtype=object), "np", [(ONLY, [2, 1], "FP64", [1.0, None], NUMPY)]),
        (pandas.Series([0.5]), "np", [(ONLY, [1, 1], "FP64", [0.5], NUMPY)]),
        ([1.5, 2.5], "np", [(ONLY, [2, 1], "FP64", [1.5, 2.5], NUMPY)]),
        (["a", "b"], "str", [(ONLY, [2, 1], "BYTES", [b"a", b"b"], TEXT)]),
        ([{"a": 1}], "np", [(ONLY, [1, 1], "BYTES", [b'{"a": 1}'], {"content_type": "pd_json"})]),
        ([[1], [2, 3]], "np", [(ONLY, [2, 1], "BYTES", [b"[1]", b"[2, 3]"], {"content_type": "pd_json"})]),
        (0.5, "np", [(ONLY, [1, 1], "FP64", [0.5], NUMPY)]),
        ({"a": numpy.array([[1, 2]])}, "dict", [("a", [1, 2], "INT64", [1, 2], NUMPY)]),
        (
            TABLE,
            "pd",
            [
                ("label", [2, 1], "BYTES", [b"a", None], TEXT),
                ("sure", [2, 1], "FP64", [0.5, None], {}),
                ("n", [2, 1], "INT64", [1, 2], {}),
                ("at", [2, 1], "BYTES", [b"2026-11-29T00:00:00.000000Z", None], {"content_type": "datetime"}),
            ],
        ),
        (pandas.DataFrame({0: [1]}), "pd", [("0", [1, 1], "INT64", [1], {})]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_answer_is_outputs(answer: Any, content_type: str, outputs: list[tuple[Any, ...]]) -> None:
    found = response_outputs.of(answer)
    assert found.content_type == content_type
    assert [(o.name, o.shape, o.datatype, o.data, o.parameters) for o in found.each] == outputs


@pytest.mark.parametrize(
    ("names", "told", "given"),
    [
        ([], [], ["label", "n"]),
        (["n"], [], ["n"]),
        (["n", "label", "n"], [], ["n", "label"]),
        (["b"], ["a", "b"], ["n"]),
    ],
)
def test_a_request_gets_the_outputs_that_it_names(names: list[str], told: list[str], given: list[str]) -> None:
    found = response_outputs.of(TABLE[["label", "n"]])
    assert [each.name for each in response_outputs.wanted(found, names, told).each] == given


def test_an_output_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(RefusedError, match="there is no output x; the model answers label, n"):
        response_outputs.wanted(response_outputs.of(TABLE[["label", "n"]]), ["n", "x"], [])


@pytest.mark.parametrize(
    ("faults", "body", "says"),
    [
        (
            [{"type": "json_invalid", "loc": ("body", 61), "ctx": {"error": "unexpected character"}}],
            {},
            "the body is no JSON: unexpected character, at character 61; JSON has no NaN",
        ),
        (
            [{"type": "json_invalid", "loc": ("body", 1), "ctx": {"error": "unexpected end of data"}}],
            {},
            "the body is no JSON: unexpected end of data, at character 1",
        ),
        ([{"type": "model_attributes_type", "loc": ("body",)}], "", "the body is no request of protocol v2, which is"),
        ([{"type": "missing", "loc": ("body", "inputs"), "input": {}}], {}, "inputs is missing; a request is like {"),
        (
            [{"type": "enum", "loc": ("body", "inputs", 0, "datatype"), "input": "FP8", "msg": ""}, {}],
            {"inputs": [{"name": "a"}]},
            'inputs[0].datatype (of "a") is "FP8", which is no datatype (and 1 more); there are BOOL, INT8,',
        ),
        (
            [{"type": "int", "loc": ("body", "inputs", 0, "shape", 1), "input": "x", "msg": "Input should be whole"}],
            {"inputs": [{"name": 5}]},
            'inputs[0].shape[1] is "x": input should be whole',
        ),
    ],
)
def test_the_first_fault_of_a_body_is_said_in_a_sentence(faults: list[dict[str, Any]], body: Any, says: str) -> None:
    assert wrong_requests.of_body(faults, body).startswith(says)


def test_a_path_of_another_protocol_is_answered_with_the_one_that_is_spoken() -> None:
    said = wrong_requests.of_path("/v1/models/iris:explain")
    assert "nothing at /v1/models/iris:explain" in said
    assert "POST /v2/models/iris/infer" in said
    assert "POST /v2/models/<name>/infer" in wrong_requests.of_path("/predict")
    assert "/v2/models/iris/infer takes no GET" in wrong_requests.of_method("GET", "/v2/models/iris/infer")
