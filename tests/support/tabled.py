"""A small table of flowers, written in many ways, and read as a run reads it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pandas
import pyarrow
import pytest
from ml_runtime import tables
from ml_runtime.data_spec import DataSpec, parse_data
from ml_runtime.errors import RunError
from ml_runtime.spec import Block
from ml_runtime.tables import Read
from pyarrow import parquet
from support import s3

FLOWERS = "".join(f"{4 + i % 30 / 10},{i % 7},{i},{('setosa', 'virginica')[i % 2]}\n" for i in range(200))
HEADER = "length,width,number,species\n"
FLOWERS_OF = "length;species\n" + "{0};setosa\n{0};virginica\n" * 20
NAMES = ["length", "width", "number", "species"]
CSV = (HEADER + FLOWERS).encode()


def described(uri: Any, **data: Any) -> DataSpec:
    return parse_data(Block("", {"data": {"uri": uri, "target": "species", **data}}, ("data",)))


def read(there: s3.Store, content: bytes | str, name: str = "a.csv", **data: Any) -> Read:
    return tables.read(described(there.put(name, content), **data), 1)


def refusal(there: s3.Store, content: bytes | str, name: str = "a.csv", **data: Any) -> str:
    with pytest.raises(RunError) as refused:
        read(there, content, name, **data)
    return str(refused.value)


def rows(found: Read) -> list[tuple[Any, ...]]:
    return sorted(pandas.concat([found.training, found.test]).itertuples(index=False, name=None))


def as_parquet(content: bytes = CSV, **types: Any) -> bytes:
    frame = pandas.read_csv(BytesIO(content)).astype(types)
    parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), stream := BytesIO(), row_group_size=64)
    return stream.getvalue()


def as_lines(content: bytes = CSV) -> bytes:
    return pandas.read_csv(BytesIO(content)).to_json(orient="records", lines=True).encode()


def slip(text: str, line: int = 41) -> str:
    lines = (HEADER + FLOWERS).splitlines(True)
    return "".join([*lines[: line - 1], text + "\n", *lines[line:]])
