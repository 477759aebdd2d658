"""What is asked of a model: rows of named columns, from a file or from arguments, as the model's own inputs want them.

Owns the shapes that a user may write and the tensors of protocol v2 made of them. It talks to nothing.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_local.errors import LocalError

Rows = dict[str, list[Any]]
"""Values by the name of their column, equally many of each."""

JSON_SHAPE = 'it must be like {"sepal_length": 6.3, ...} or {"sepal_length": [6.3, 5.1], ...}'
CSV_SHAPE = "it must have a line of column names, then one line a row"


def read(words: Sequence[str]) -> Rows:
    """The rows that a user has written: one file, or one row as COLUMN=VALUE for each column.

    Raises:
        LocalError: neither, or the file is not what it should be.
    """
    if all("=" in word for word in words):
        return _from_arguments(words)
    if len(words) == 1:
        return read_file(Path(words[0]))
    wrong = next(word for word in words if "=" not in word)
    raise LocalError(f"{wrong!r} is no COLUMN=VALUE; name one file, or each column: sepal_length=6.3 sepal_width=3.3")


def read_file(path: Path) -> Rows:
    """The columns of a request file: JSON, or CSV with a header line if its name ends in .csv.

    Raises:
        LocalError: it can't be read or has another shape.
    """
    read_text, shape = (_from_csv, CSV_SHAPE) if path.suffix == ".csv" else (_from_json, JSON_SHAPE)
    try:
        rows = read_text(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as broken:
        raise LocalError(f"the request file {path} can't be read: {broken}; {shape}") from broken
    if len({len(values) for values in rows.values()}) != 1:
        lengths = {name: len(values) for name, values in rows.items()}
        raise LocalError(f"the columns in {path} differ in length: {lengths}; {shape}")
    return rows


def tensors(rows: Rows, inputs: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows as the tensors that a model with these `inputs` (datatype by column) takes.

    Raises:
        LocalError: naming the columns that are missing or unknown, or the value that is not of its column's type.
    """
    missing = [name for name in inputs if name not in rows]
    unknown = [name for name in rows if name not in inputs]
    if missing or unknown:
        faults = [("missing", missing), ("unknown", unknown)]
        said = "; ".join(f"{fault}: {', '.join(names)}" for fault, names in faults if names)
        raise LocalError(f"{said}; it takes {', '.join(inputs)}")
    return [_tensor(name, datatype, rows[name]) for name, datatype in inputs.items()]


def _from_arguments(words: Sequence[str]) -> Rows:
    rows: Rows = {}
    for word in words:
        name, _, value = word.partition("=")
        if name in rows:
            raise LocalError(f"the column {name!r} is given twice; arguments are one row, a file can hold many")
        rows[name] = [value]
    return rows


def _from_json(text: str) -> Rows:
    content = json.loads(text)
    if not isinstance(content, dict) or not content:
        raise ValueError(f"it holds {'nothing' if content == {} else type(content).__name__}")
    return {name: value if isinstance(value, list) else [value] for name, value in content.items()}


def _from_csv(text: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        names, *lines = [row for row in reader if row] or [[]]
    except csv.Error as broken:
        raise ValueError(
            f"line {reader.line_num}: {broken}; a quote closes a whole value, and is written twice within one"
        ) from broken
    if not lines or len(set(names)) < len(names):
        raise ValueError("it has no rows" if not lines else "two of its columns have the same name")
    if uneven := next((row for row in lines if len(row) != len(names)), None):
        raise ValueError(f"a row has {len(uneven)} fields and the header {len(names)}: {','.join(uneven)}")
    return {name: list(values) for name, values in zip(names, zip(*lines, strict=True), strict=True)}


def _tensor(name: str, datatype: str, values: Sequence[Any]) -> dict[str, Any]:
    kind, convert = next((each for prefix, each in _KINDS.items() if datatype.startswith(prefix)), _TEXT)
    try:
        data = [convert(value) for value in values]
    except (TypeError, ValueError) as wrong:
        raise LocalError(f"the column {name!r} takes {kind}: {wrong}") from wrong
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data}


def _number(value: Any) -> float:
    number = math.nan if isinstance(value, bool) else float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is none")
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError(f"{value!r} is none")
    return int(number)


def _truth(value: Any) -> bool:
    known = {"true": True, "false": False}
    if str(value).lower() not in known:
        raise ValueError(f"{value!r} is neither")
    return known[str(value).lower()]


_TEXT: tuple[str, Callable[[Any], Any]] = ("texts", str)
_KINDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "FP": ("numbers", _number),
    "INT": ("whole numbers", _whole),
    "UINT": ("whole numbers", _whole),
    "BOOL": ("true or false", _truth),
}
"""By the beginning of a datatype of protocol v2: what a user is told that it is, and how a value becomes one."""
