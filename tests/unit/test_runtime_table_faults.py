"""What is said of a table that is not what it should be, in words of its file."""

from __future__ import annotations

import gzip
import itertools
from typing import Any

import pytest
from support import s3
from support.tabled import (
    CSV,
    FLOWERS,
    FLOWERS_OF,
    HEADER,
    NAMES,
    as_parquet,
    refusal,
    slip,
)


@pytest.mark.parametrize(
    ("content", "data", "words"),
    [
        ("", {}, ["a.csv has no rows"]),
        (HEADER, {}, ["has no rows"]),
        (FLOWERS, {}, ["begins with", "setosa"]),
        (slip("n/a,1,1,setosa"), {}, ["line 41: 'n/a' is not a number", "199 of the 200", "'length'", "csv.missing"]),
        (slip("1_000,1,1,setosa"), {}, ["line 41: '1_000' is not a number"]),
        (slip("inf,1,1,setosa"), {}, ["line 41: 'inf' is not a number"]),
        (slip("1,1,1"), {}, ["line 41 has 3 fields, and 4 columns are in its header", "1,1,1"]),
        (slip('"1\n2",1,1,setosa\n1,2'), {}, ["line 43 has 2 fields"]),
        (slip("?,1,1,setosa").replace("4.5,", "?,"), {}, ["'?' is not a number, as are 19", "csv.missing"]),
        (FLOWERS_OF.format("1.000,5"), {"csv": {"separator": ";"}}, ["line 2: '1.000,5' is a number with more than"]),
        (FLOWERS_OF.format("12 %"), {"csv": {"separator": ";"}}, ["'12 %' is a number with more than", "{length: cat"]),
        (CSV.decode().encode("utf-16-le"), {}, ["encoding: utf-16-le"]),
        (CSV, {"target": "number"}, ["'number' has 200 distinct values in 200 rows", "its task is regression"]),
        (CSV.replace(b"setosa", b"virginica"), {}, ["'virginica' in all rows"]),
        (
            CSV,
            {"test": {"time": "number", "from": "2026-01-01"}},
            ["line 2, column 'number': '0' is not a time by ISO"],
        ),
        (slip('1,1,1,"setosa'), {}, ["line 41 has a quote", "not closed", "csv.quote"]),
        (slip('1,1,1,"setosa').rstrip(), {}, ["line 41 has a quote"]),
        (slip("a,1,1,setosa"), {"columns": {"length": "number"}}, ["line 41, column 'length': 'a' is not a number"]),
        (
            CSV,
            {"columns": {"length": "time"}, "features": ["length"]},
            ["line 2, column 'length': '4.0' is not a time"],
        ),
        (slip("1,1,1,\xe4").encode("cp1252"), {}, ["line 41 has the byte b'\\xe4'", "utf-8", "cp1252"]),
        (CSV.replace(b",", b";"), {}, ["looks like", "separator ';', not ','", 'separator: ";"']),
        (FLOWERS.replace(",", ";").replace(".", ","), {"csv": {"header": NAMES}}, ["separator ';'", 'decimal: ","']),
        (CSV.replace(b",", b"\t"), {}, ["separator '\\t'"]),
        (CSV.replace(b",", b";").replace(b".", b","), {"csv": {"separator": ";"}}, ["'length'", 'decimal: ","']),
        (CSV.decode().encode("utf-16"), {}, ["UTF-16", "encoding: utf-16"]),
        (b"PK\x03\x04...", {}, ["Excel"]),
        (as_parquet(), {}, ["parquet", "format"]),
        ("a,a,species\n1,2,x\n", {}, ["more than one column 'a'"]),
        (CSV, {"target": "specis"}, ["no column 'specis'", "`target`", "'species' meant"]),
        (CSV, {"features": ["lenght"]}, ["no column 'lenght'", "`features`", "'length' meant"]),
        (CSV, {"test": {"by": ["customer"]}}, ["no column 'customer'", "`test`"]),
        (CSV, {"columns": {"colour": "text"}}, ["no column 'colour'", "`columns`"]),
        (CSV, {"task": "regression"}, ["target 'species' is a category", "regression predicts a number"]),
        (CSV, {"sha256": "0" * 64}, ["has the sha256", "somebody replaced the data"]),
        (CSV, {"test": {"fraction": 0.0001}}, ["0 are the test", "both are needed"]),
        ("species\na\nb\n", {}, ["nothing to predict 'species' from"]),
    ],
    ids=map(str, itertools.count(1)),
)
def test_what_is_wrong_with_a_csv_is_said_in_words_of_the_file(
    content: bytes | str, data: dict[str, Any], words: list[str], there: s3.Store
) -> None:
    said = refusal(there, content, **data)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", '{"a": 1}\n[1]\n', ["line 2 is list, not an object"]),
        ("a.jsonl", '{"a": 1}\n\n{"a": 1\n', ["line 3 is no JSON"]),
        ("a.jsonl", '{"a": [1]}\n', ["line 1, column 'a' is a list"]),
        ("a.parquet", b"PAR1 and no more", ["a.parquet is no parquet that can be read"]),
        ("a.txt", CSV, ["no column 'species'", "only 'text'; by its ending it is text", "`format`"]),
        ("a.csv.gz", gzip.compress(CSV)[:-30], ["a.csv.gz is cut off or damaged"]),
        ("a.xyz", b"1", ["'xyz'", "name it in `format`"]),
    ],
    ids=map(str, itertools.count(1)),
)
def test_what_is_wrong_with_other_files_is_said_too(
    name: str, content: bytes | str, words: list[str], there: s3.Store
) -> None:
    said = refusal(there, content, name)
    for word in words:
        assert word in said
