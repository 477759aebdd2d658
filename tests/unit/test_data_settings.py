"""Settings of data that can not be: each is refused by its key, with the value, the rule and the command."""

from __future__ import annotations

from typing import Any

import pytest
from support.refusals import S3, Case, csv, data, read, refusal, says
from support.work import IRIS

PLACES = ["s3://datasets//a.csv", "s3://datasets/raw/../a.csv", "s3://datasets/./a.csv", "s3://datasets/raw//"]


OF_DATA: list[Case] = [
    ({"data": {"Iris": IRIS["data"]["iris"]}}, "data.Iris", '"Iris"', "pattern"),
    (data(uri="iris.csv"), "data.iris.uri", '"iris.csv"', "it is sklearn:iris, s3://<bucket>/<key>"),
    (data(uri="sklearn:mars"), "data.iris.uri", '"sklearn:mars"', "it is sklearn:iris"),
    (data(uri=None), "data.iris.uri", "null", "one of uri and dvc"),
    (data(uri=S3, upload=S3), "data.iris.upload", f'"{S3}"', "it is for data of a package"),
    (data(uri=S3, format="files"), "data.iris.uri", f'"{S3}"', "a prefix, which ends with a /"),
    (data(uri=S3, format="excel"), "data.iris.format", '"excel"', "'parquet'"),
    (data(uri=S3, format="parquet", csv={}), "data.iris.csv", "{}", "the format is parquet; remove it"),
    (data(watch="daily"), "data.iris.watch", '"daily"', "pattern"),
    (data(sample=10), "data.iris.sample", "10", "greater than or equal to 100"),
    *((data(uri=place), "data.iris.uri", f'"{place}"', "without .. and empty parts") for place in PLACES),
    *((data(test={"uri": place}), "data.iris.test.uri", f'"{place}"', "an empty part") for place in PLACES),
    (data(upload=PLACES[1]), "data.iris.upload", f'"{PLACES[1]}"', "an empty part, . or .. in it"),
    (csv(separator=";;"), "data.iris.csv.separator", '";;"', "at most 1 character"),
    (csv(separator=",", decimal=","), "data.iris.csv.decimal", '","', "another character than separator"),
    (csv(quote=","), "data.iris.csv.quote", '","', "another character than separator and decimal"),
    (csv(encoding="utf-9"), "data.iris.csv.encoding", '"utf-9"', "ython knows no such encoding"),
    (csv(encoding="base64"), "data.iris.csv.encoding", '"base64"', "ython knows no such encoding"),
    (csv(header=False), "data.iris.csv.header", "false", "true, or a list of distinct names"),
    (csv(header=["Age", "age"]), "data.iris.csv.header", '["Age", "age"]', "true, or a list of distinct names"),
]


OF_COLUMNS: list[Case] = [
    (
        data(columns={"Age": "number", "age": "text"}),
        "data.iris.columns",
        '{"Age"',
        "'Age' and 'age' differ in nothing",
    ),
    (data(features=["Age", "age"]), "data.iris.features", '["Age", "age"]', "differ in more than their case: 'Age'"),
    (data(test={"by": ["Straße", "STRASSE"]}), "data.iris.test.by", '["Stra', "differ in more than their case"),
    (data(columns={"fixed acidity": "digit"}), "data.iris.columns.fixed acidity", '"digit"', "'category'"),
    (data(features=["a", "species"]), "data.iris.features", '["a", "species"]', "'species' can't be among them"),
    (data(test={"by": ["species"]}), "data.iris.test", '{"by"', "'species' can't say which rows test"),
    (data(test={"time": "t", "since": "2026-09-01", "fraction": 0.1}), "data.iris.test", '{"time"', "has one of"),
    (data(test={"time": "t"}), "data.iris.test.since", "null", "both, time and since"),
    (data(test={"since": "2026-09-01"}), "data.iris.test.since", '"2026-09-01"', "both, time and since"),
    (data(test={"time": "t", "since": "September"}), "data.iris.test.since", '"September"', "pattern"),
    (data(test={"uri": S3, "by": ["a"]}), "data.iris.test.by", '["a"]', "it belongs to a fraction; remove it"),
    (data(test={"uri": S3, "salt": "b"}), "data.iris.test.salt", '"b"', "it belongs to a fraction; remove it"),
    (data(test={"fraction": 1}), "data.iris.test.fraction", "1", "less than 1"),
    (data(target=None), "data.iris.target", "null", "runs.iris learns from it: name the column to predict"),
]


@pytest.mark.parametrize(
    ("settings", "path", "given", "rule"),
    [*OF_DATA, *OF_COLUMNS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_is_refused_by_its_key(settings: dict[str, Any], path: str, given: str, rule: str) -> None:
    says(refusal(settings), path, given, rule)


@pytest.mark.parametrize("name", ["fixed acidity", "Größe (m²)", "a.b", "x[0]", "it's"])
def test_columns_have_the_names_that_people_give_them(name: str) -> None:
    found = read(data(features=[name], columns={name: "number"}, test={"by": [name, "b"]}, uri=S3)).data["iris"]
    assert found.features == (name,)
    assert found.test.described == {"fraction": 0.2, "by": [name, "b"]}


@pytest.mark.parametrize(
    ("name", "step"),
    [("fixed acidity", ".fixed acidity"), ("a.b", '["a.b"]'), ("x[0]", '["x[0]"]'), ("it's", ".it'\\''s")],
)
def test_the_command_names_a_column_as_a_shell_and_the_cli_read_it(name: str, step: str) -> None:
    message = refusal(data(columns={name: "digit"}))
    assert f"pulumi config set --path 'ml-platform:workloads.data.iris.columns{step}' <value>" in message


@pytest.mark.parametrize(
    ("given", "since"),
    [
        ("2026-09-01", "2026-09-01"),
        ("2026-09-01T12:00:00Z", "2026-09-01T12:00:00Z"),
        ("2026-09-01 00:00:00 +0000 UTC", "2026-09-01T00:00:00"),
    ],
    ids=["in quotes", "with a time", "as Pulumi hands over a date without quotes"],
)
def test_a_time_to_test_from_is_a_date_with_or_without_quotes(given: str, since: str) -> None:
    found = read(data(test={"time": "when", "since": given})).data["iris"]
    assert found.test.described == {"time": "when", "from": since}
