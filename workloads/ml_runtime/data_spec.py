"""What data a run takes: the block `data` of its description, which the stack writes from an entry of `data`.

    {
      "uri": "s3://bucket/key",            one object; or "s3://bucket/prefix/": all objects below, but names that begin
                                           with _ or a dot; or "sklearn:iris", of a package; or
                                           what DVC keeps: {"dvc": {"md5": "1a2b...", "remote": "s3://bucket/path"}}
      "format": "csv",                     optional: csv, parquet, jsonl, text (one document a line, of a prefix one
                                           a file) or files (a row each: path, label, content);
                                           default: by the objects' ending
      "csv": {                             optional: how the CSV is written
        "separator": ",", "decimal": ".", "encoding": "utf-8",
        "quote": "\\"",                    or null: no sign quotes
        "header": true,                    or the names of its columns, where the file has no header
        "missing": ["", "NA"]              what stands for no value
      },
      "columns": {"postcode": "category"}, optional: kinds that differ from those that the values suggest
      "target": "species",                 optional: the column to predict; a learning run needs it
      "task": "classification",            optional: or "regression"
      "features": ["sepal_length"],        optional: what to predict it from; default: all other columns, but those of
                                           `by` and `time`, times, and the id of a row
      "test": {"fraction": 0.2, "by": ["customer"], "salt": ""},       optional: by a hash of all features, or of `by`
              or {"time": "ts", "from": "2026-09-01"}                  rows since then
              or {"uri": "s3://bucket/test.csv"},                      data of their own
      "sample": 1000000,                   optional: so many rows at most are learned from, tested on a quarter
      "sha256": "9f86d0..."                optional: refuse any other content
    }

The module owns the shape and its checks; it reads no data, and only the standard library is loaded with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ml_runtime.errors import SpecError
from ml_runtime.places import Source, parse_source
from ml_runtime.schema import TIME, Kind
from ml_runtime.spec import Block, is_number

MISSING = ("", "NA", "NaN", "nan", "NULL", "null")
ROW = "_row"
"""The column with the id of the raw row that a row was made from."""


class Task(StrEnum):
    """What is predicted."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    TEXT = "text"
    FILES = "files"


@dataclass(frozen=True, kw_only=True)
class Csv:
    """How a CSV is written."""

    separator: str = ","
    decimal: str = "."
    quote: str | None = '"'
    """None: no sign is one, all are part of the values."""
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None
    """The names of the columns where the file has no header."""
    missing: tuple[str, ...] = MISSING


@dataclass(frozen=True, kw_only=True)
class ByHash:
    """The test rows are a part of all, by a hash of some columns, or of all features."""

    fraction: float = 0.2
    by: tuple[str, ...] = ()
    salt: str = ""


@dataclass(frozen=True, kw_only=True)
class ByTime:
    """The test rows are those since a time."""

    column: str
    start: str


@dataclass(frozen=True, kw_only=True)
class Given:
    """The test rows are data of their own."""

    source: Source


Test = ByHash | ByTime | Given


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """What data a run takes, and which part of them it is tested on."""

    source: Source
    format: Format | None = None
    csv: Csv = field(default_factory=Csv)
    columns: Mapping[str, Kind] = field(default_factory=dict)
    target: str | None = None
    task: Task = Task.CLASSIFICATION
    features: tuple[str, ...] | None = None
    test: Test = field(default_factory=ByHash)
    sample: int | None = None
    sha256: str | None = None

    @property
    def uri(self) -> str:
        return str(self.source)

    @property
    def apart(self) -> tuple[str, ...]:
        """Columns that are no features unless they are named as such: they tell rows apart."""
        of_test = {ByHash: "by", ByTime: "column"}.get(type(self.test))
        found = getattr(self.test, of_test) if of_test else ()
        return (ROW, *((found,) if isinstance(found, str) else found))


KEYS = ("uri", "format", "csv", "columns", "target", "task", "features", "test", "sample", "sha256")


def parse_data(top: Block) -> DataSpec:
    """Check the block `data` of a description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    block = top.inner("data", KEYS)
    target, features = _optional(block, "target", _is_text, "a column's name"), _names(block, "features")
    if features is not None and target in features:
        raise SpecError(f"{block.path('features')} has the target {target!r} in it; take it out")
    return DataSpec(
        source=parse_source(block, "uri"),
        format=_format(block),
        csv=_csv(block),
        columns=_kinds(block),
        target=target,
        task=Task(block.check("task", lambda v: v in set(Task), f"one of {[*map(str, Task)]}", "classification")),
        features=features,
        test=_test(block),
        sample=_optional(block, "sample", lambda v: isinstance(v, int) and v >= 10, "a whole number, 10 or more"),
        sha256=_optional(block, "sha256", _is_hex(64), "64 digits of a sha256"),
    )


def _format(block: Block) -> Format | None:
    found = _optional(block, "format", lambda v: v in set(Format), f"one of {[*map(str, Format)]}")
    return None if found is None else Format(found)


def _csv(block: Block) -> Csv:
    if block.take("csv", None) is None:
        return Csv()
    csv = block.inner("csv", ("separator", "decimal", "quote", "encoding", "header", "missing"))
    header = csv.check("header", lambda v: v is True or _are_names(v), "true, or a list of distinct names", True)
    found = Csv(
        separator=csv.check("separator", _is_sign, "one character, like ; or a tab", ","),
        decimal=csv.check("decimal", _is_sign, "one character, like , or a dot", "."),
        quote=csv.check("quote", lambda v: v is None or _is_sign(v), "one character, or null", '"'),
        encoding=csv.check("encoding", _is_encoding, "an encoding that Python knows, like utf-8 or cp1252", "utf-8"),
        header=None if header is True else tuple(header),
        missing=tuple(csv.check("missing", _are_texts, "a list of texts", list(MISSING))),
    )
    if found.separator == found.decimal:
        raise SpecError(
            f"{csv.path('decimal')} and {csv.path('separator')} are both {found.decimal!r}; "
            "where numbers are written with a comma, the separator is mostly ;"
        )
    if found.quote in (found.separator, found.decimal):
        raise SpecError(f"{csv.path('quote')} is {found.quote!r}, which is the separator or the decimal sign as well")
    return found


def _kinds(block: Block) -> dict[str, Kind]:
    kinds = block.check("columns", lambda v: isinstance(v, Mapping), "an object: a kind by a column's name", {})
    rule = f"one of {', '.join(Kind)}"
    for name, kind in kinds.items():
        if kind not in set(Kind):
            raise SpecError(f"{block.path('columns')}.{name} is {kind!r}; it must be {rule}")
    return {name: Kind(kind) for name, kind in kinds.items()}


def _test(block: Block) -> Test:
    raw = block.take("test", None)
    if raw is None:
        return ByHash()
    if isinstance(raw, Mapping) and "uri" in raw:
        return Given(source=parse_source(block.inner("test", ("uri",)), "uri"))
    if isinstance(raw, Mapping) and "time" in raw:
        test = block.inner("test", ("time", "from"))
        start = test.check("from", _is_time, "a time by ISO 8601, like 2026-09-01 or 2026-09-01T12:00:00Z")
        return ByTime(column=test.text("time"), start=start)
    test = block.inner("test", ("fraction", "by", "salt"))
    return ByHash(
        fraction=test.check("fraction", lambda v: is_number(v) and 0 < v < 1, "a number between 0 and 1", 0.2),
        by=_names(test, "by") or (),
        salt=test.text("salt", ""),
    )


def _optional(block: Block, key: str, good: Callable[[Any], bool], rule: str) -> Any:
    return None if block.take(key, None) is None else block.check(key, good, rule)


def _names(block: Block, key: str) -> tuple[str, ...] | None:
    found = _optional(block, key, _are_names, "a list of distinct names")
    return None if found is None else tuple(found)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_text, value)) and len(set(value)) == len(value)


def _is_sign(value: object) -> bool:
    return isinstance(value, str) and len(value) == 1 and value.isascii() and value not in "\r\n"


def _is_encoding(value: object) -> bool:
    try:
        return isinstance(value, str) and "a".encode(value) != b""
    except LookupError:
        return False


def _is_time(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(TIME, value) is not None


def _is_hex(digits: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{digits}}}", value) is not None
