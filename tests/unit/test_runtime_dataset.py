"""The command that looks at data: what its verdict says, and where it writes data of scikit-learn."""

from __future__ import annotations

from typing import Any

import pytest
from ml_runtime import builtin, dataset, store, tables
from ml_runtime.data_spec import parse_data
from ml_runtime.errors import RunError, SpecError
from ml_runtime.schema import Schema
from ml_runtime.spec import Block
from support import s3

IRIS = {"uri": "sklearn:iris", "target": "species"}


def look(**description: Any) -> Any:
    return dataset.look(dataset.parse({"run": "iris-1", "patience": 1, **description}))


def test_the_verdict_has_the_digest_and_the_schema(there: s3.Store) -> None:
    content = b"a,b\n1,x\n2,y\n"
    found = look(data={"uri": there.put("a.csv", content)})
    assert (found.accepted, found.numbers, found.outputs["sha256"]) == (True, {"rows": 2.0}, store.digest(content))
    assert Schema.from_json(found.outputs["schema"]).names == ["a", "b"]


def test_data_of_scikit_learn_are_written_for_others_and_are_the_same_there(there: s3.Store) -> None:
    found = look(data=IRIS, output="s3://datasets/iris.csv")
    assert store.digest(there.objects["datasets/iris.csv"]) == found.outputs["sha256"] == builtin.sha256("iris")
    read = [
        parse_data(Block("", {"data": {**IRIS, "uri": uri}}, ("data",)))
        for uri in ("sklearn:iris", "s3://datasets/iris.csv")
    ]
    one, other = (tables.read(spec, 1) for spec in read)
    assert (one.schema, one.sha256, one.test_rows) == (other.schema, other.sha256, other.test_rows)
    assert look(data=IRIS, output="s3://datasets/iris.csv") == found


def test_what_is_there_already_stays(there: s3.Store) -> None:
    there.put("iris.csv", b"mine")
    with pytest.raises(RunError, match="another content"):
        look(data=IRIS, output="s3://datasets/iris.csv")
    assert there.objects["datasets/iris.csv"] == b"mine"


def test_only_data_of_scikit_learn_are_written() -> None:
    with pytest.raises(SpecError, match="only data of scikit-learn"):
        look(data={"uri": "s3://datasets/a.csv"}, output="s3://datasets/b.csv")
