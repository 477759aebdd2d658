"""What a user may write to ask a model, and the request made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_local import request
from ml_local.errors import LocalError

FLOWER = {"length": "FP64", "petals": "INT64", "kind": "BYTES", "wild": "BOOL"}


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("one.json", '{"a": 1, "b": 2.5}', {"a": [1], "b": [2.5]}),
        ("many.json", '{"a": [1, 2], "b": ["x", "y"]}', {"a": [1, 2], "b": ["x", "y"]}),
        ("one.csv", "a,b\n1,x\n", {"a": ["1"], "b": ["x"]}),
        ("many.csv", 'a,b\r\n1,"x, y"\r\n\r\n2,z\r\n', {"a": ["1", "2"], "b": ["x, y", "z"]}),
        ("lines.csv", 'a,b\n1,"x\ny"\n2,\u2028\x0c\n', {"a": ["1", "2"], "b": ["x\ny", "\u2028\x0c"]}),
        ("blanks.csv", 'a, "b"\n1, "x, y"\n', {"a": ["1"], "b": ["x, y"]}),
        ("quotes.csv", 'a,b\n13","a ""b"""\n', {"a": ['13"'], "b": ['a "b"']}),
        ("mark.csv", "\ufeffa,b\n1,x\n", {"a": ["1"], "b": ["x"]}),
        ("mark.json", '\ufeff{"a": 1}', {"a": [1]}),
    ],
)
def test_a_file_holds_one_or_many_rows(name: str, text: str, rows: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert request.read([str(file)]) == rows


@pytest.mark.parametrize(
    ("name", "text", "says", "shape"),
    [
        ("r.json", "{", "can't be read", request.JSON_SHAPE),
        ("r.json", "[]", "holds list", request.JSON_SHAPE),
        ("r.json", "{}", "holds nothing", request.JSON_SHAPE),
        ("r.json", '{"a": [1], "b": [1, 2]}', "differ in length", request.JSON_SHAPE),
        ("r.json", None, "No such file", request.JSON_SHAPE),
        ("r.csv", "", "no rows", request.CSV_SHAPE),
        ("r.csv", "a,b\n", "no rows", request.CSV_SHAPE),
        ("r.csv", "a,b\n1\n", "a row has 1 fields and the header 2: 1", request.CSV_SHAPE),
        ("r.csv", "a,a\n1,2\n", "the same name", request.CSV_SHAPE),
        (
            "r.csv",
            'a,b\n"13 inch,1\n"15 inch,2\n',
            "line 3: ',' expected after '\"'; a quote closes",
            request.CSV_SHAPE,
        ),
        ("r.csv", 'a,b\n1,"x\n', "line 2: unexpected end of data", request.CSV_SHAPE),
    ],
)
def test_another_shape_is_refused_with_the_right_one(
    name: str, text: str | None, says: str, shape: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(LocalError, match=says) as refused:
        request.read([str(file)])
    assert str(file) in str(refused.value)
    assert shape in str(refused.value)


def test_arguments_are_one_row() -> None:
    assert request.read(["length=1.5", "kind=a=b", "wild="]) == {"length": ["1.5"], "kind": ["a=b"], "wild": [""]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["length=1.5", "rows.json"], "'rows.json' is no COLUMN=VALUE"),
        (["rows.json", "more.json"], "'rows.json' is no COLUMN=VALUE"),
        (["length=1.5", "length=2"], "'length' is given twice"),
    ],
)
def test_arguments_of_another_kind_are_named(words: list[str], says: str) -> None:
    with pytest.raises(LocalError, match=says):
        request.read(words)


def test_values_become_what_the_model_takes_in_the_order_of_its_inputs() -> None:
    rows = {"wild": ["true"], "kind": [7], "petals": ["5"], "length": ["1.5"]}
    assert [(t["name"], t["datatype"], t["shape"], t["data"]) for t in request.tensors(rows, FLOWER)] == [
        ("length", "FP64", [1], [1.5]),
        ("petals", "INT64", [1], [5]),
        ("kind", "BYTES", [1], ["7"]),
        ("wild", "BOOL", [1], [True]),
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"length": None}, "missing: length; it takes length, petals, kind, wild"),
        ({"lenght": ["1"], "length": None}, "missing: length; unknown: lenght; it takes length, petals, kind, wild"),
        ({"colour": ["red"]}, "unknown: colour; it takes length"),
        ({"length": ["long"]}, "column 'length' takes numbers: .*'long'"),
        ({"length": [True]}, "column 'length' takes numbers: True is none"),
        ({"length": ["nan"]}, "column 'length' takes numbers: 'nan' is none"),
        ({"length": [None]}, "column 'length' takes numbers"),
        ({"petals": ["5.5"]}, "column 'petals' takes whole numbers: '5.5' is none"),
        ({"wild": ["yes"]}, "column 'wild' takes true or false: 'yes' is neither"),
    ],
)
def test_columns_and_values_that_do_not_fit_are_named(changes: dict[str, Any], says: str) -> None:
    rows = {"length": ["1.5"], "petals": ["5"], "kind": ["x"], "wild": ["false"], **changes}
    with pytest.raises(LocalError, match=says):
        request.tensors({name: values for name, values in rows.items() if values is not None}, FLOWER)
