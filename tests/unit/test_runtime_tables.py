"""A table as a run reads it: any format, what its values suggest, its two sides."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pandas
import pyarrow
import pytest
from ml_runtime import store, tables
from ml_runtime.schema import Kind
from pyarrow import parquet
from support import s3
from support.tabled import (
    CSV,
    FLOWERS,
    HEADER,
    NAMES,
    as_lines,
    as_parquet,
    described,
    read,
    refusal,
    rows,
)

WRITTEN: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "plain": ("a.csv", CSV, {}),
    "byte order mark": ("a.csv", b"\xef\xbb\xbf" + CSV, {}),
    "line ends of Windows": ("a.csv", CSV.replace(b"\n", b"\r\n"), {}),
    "line ends of old": ("a.csv", CSV.replace(b"\n", b"\r"), {}),
    "no end of the last line": ("a.csv", CSV.rstrip(), {}),
    "blank lines": ("a.csv", CSV.replace(b"virginica\n", b"virginica\n\n"), {}),
    "German": ("a.csv", CSV.replace(b",", b";").replace(b".", b","), {"csv": {"separator": ";", "decimal": ","}}),
    "tabs": ("a.tsv", CSV.replace(b",", b"\t"), {"csv": {"separator": "\t"}}),
    "quotes": ("a.csv", CSV.replace(b"setosa", b'"setosa"'), {}),
    "blanks around values": ("a.csv", CSV.replace(b",", b" , "), {}),
    "no header": ("a.data", FLOWERS.encode(), {"csv": {"header": NAMES}}),
    "UTF-16": ("a.csv", CSV.decode().encode("utf-16"), {"csv": {"encoding": "utf-16"}}),
    "an index of pandas": (
        "a.csv",
        b"," + HEADER.encode() + b"".join(b"7," + x for x in FLOWERS.encode().splitlines(True)),
        {},
    ),
    "compressed": ("a.csv.gz", gzip.compress(CSV), {}),
    "parquet": ("a.parquet", as_parquet(), {}),
    "parquet of floats": ("a.parquet", as_parquet(width="float32", number="float64"), {}),
    "categories of parquet": ("a.parquet", as_parquet(species="category"), {}),
    "JSON lines": ("a.jsonl", as_lines(), {}),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_is_the_same_however_it_is_written(name: str, there: s3.Store) -> None:
    key, content, how = WRITTEN[name]
    plain, found = read(there, CSV), read(there, content, key, **how)
    assert rows(found) == rows(plain)
    assert found.test.to_numpy().tolist() == plain.test.to_numpy().tolist()
    assert (found.sha256, found.schema.names) == (store.digest(content), NAMES)
    assert found.training_rows.hashes == plain.training_rows.hashes


def test_a_prefix_is_one_table_of_all_its_files_in_their_order(there: s3.Store) -> None:
    whole, half = read(there, CSV), len(FLOWERS.splitlines(True)) // 2
    lines = FLOWERS.splitlines(True)
    there.put("many/dt=1/a.csv", HEADER + "".join(lines[:half]))
    there.put("many/dt=2/b.csv", HEADER + "".join(lines[half:]))
    for name in ("_SUCCESS", ".part.crc", "_temporary/0/c.csv", "dt=1/"):
        there.put(f"many/{name}", b"")
    found = tables.read(described("s3://datasets/many/"), 1)
    pandas.testing.assert_frame_equal(found.training, whole.training)
    there.put("many/dt=3/c.csv", HEADER + lines[0])
    assert tables.read(described("s3://datasets/many/"), 1).sha256 != found.sha256


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "-3e2", ""], Kind.NUMBER),
        (["7", "007", "07"], Kind.CATEGORY),
        (["9007199254740993", "1", "2"], Kind.CATEGORY),
        (["1_000", "2_000"], Kind.CATEGORY),
        (["red", "blue", "NA"], Kind.CATEGORY),
        (["2026-11-29", "2026-11-29T21:00:00Z", "2026-11-29 21:00:00+01:00"], Kind.TIME),
        (["2026-11-29", "tomorrow"], Kind.CATEGORY),
    ],
)
def test_a_kind_is_what_all_values_suggest(values: list[str], kind: Kind, there: s3.Store) -> None:
    content = "x,n,species\n" + "".join(f"{values[i % len(values)]},{i},{'ab'[i % 2]}\n" for i in range(60))
    spec = described(there.put("a.csv", content))
    found = tables.look(spec, 1)
    assert (found.schema.column("x").kind, found.rows) == (kind, 60)
    assert found.schema.column("x").nullable == bool({"", "NA", "NaN"} & set(values))


def test_a_column_without_a_value_is_left_out_unless_the_settings_want_it(
    there: s3.Store, capsys: pytest.CaptureFixture[str]
) -> None:
    content = "x,n,species\n" + "".join(f"{('', 'NA')[i % 2]},{i},{'ab'[i % 2]}\n" for i in range(60))
    assert read(there, content).schema.names == ["n", "species"]
    assert "'x' of s3://datasets/a.csv have no value in any row and are left out" in capsys.readouterr().out
    assert "column 'x' of s3://datasets/a.csv has no value" in refusal(there, content, features=["x", "n"])


def test_many_texts_are_no_categories_and_the_settings_have_the_last_word(there: s3.Store) -> None:
    content = "x,code,species\n" + "".join(f"text {i},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
    schema = read(there, content, columns={"code": "category"}).schema
    assert [column.kind for column in schema.columns] == [Kind.TEXT, Kind.CATEGORY, Kind.CATEGORY]
    assert schema.column("code").categories == ("0", "1", "2", "3", "4")


def test_whole_numbers_are_whole_where_none_is_missing_or_written_as_a_fraction(there: s3.Store) -> None:
    content = "a,b,c,species\n" + "".join(f"{i},{i}.0,{i if i else ''},{'ab'[i % 2]}\n" for i in range(60))
    types = read(there, content).training.dtypes
    assert [str(types[name]) for name in "abc"] == ["int64", "float64", "float64"]


@pytest.mark.parametrize(
    ("classes", "task"),
    [(["007", "07", "7", "1_1", "11"], "classification"), (["9007199254740992", "9007199254740993"], "classification")],
)
def test_classes_are_what_is_written(classes: list[str], task: str, there: s3.Store) -> None:
    content = "a,species\n" + "".join(f"{i},{classes[i % len(classes)]}\n" for i in range(100))
    found = read(there, content, task=task)
    assert found.schema.column("species").categories == tuple(sorted(classes))
    assert set(found.training["species"]) == set(classes)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_without_a_target_are_left_out_and_counted(
    task: str, there: s3.Store, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = ["", "NA", "NaN"]
    content = "a,species\n" + "".join(f"{i},{lost[i // 20] if i % 20 == 3 else i % 2}\n" for i in range(60))
    found = read(there, content, task=task)
    assert (len(found.training) + len(found.test), found.refused) == (57, 3)
    assert not found.schema.column("species").nullable
    said = capsys.readouterr().out
    assert "a.csv, line 5 has no 'species'" in said
    assert "3 rows of s3://datasets/a.csv have no 'species' and are left out" in said


def test_a_list_in_parquet_is_refused_unless_it_is_not_needed(there: s3.Store) -> None:
    table = pyarrow.table({"a": range(50), "tags": [[1]] * 50, "species": ["x", "y"] * 25, "g": range(50)})
    parquet.write_table(table, stream := BytesIO())
    assert "column 'tags' is a list" in refusal(there, stream.getvalue(), "a.parquet")
    found = read(there, stream.getvalue(), "a.parquet", features=["a"], test={"by": ["g"]})
    assert found.schema.names == ["a", "species"]


def test_numbers_that_are_not_finite_are_missing_or_refused(there: s3.Store) -> None:
    for value, word in ((float("nan"), None), (float("inf"), "row 8, column 'a': inf is no finite number")):
        table = pyarrow.table({"a": [1.5] * 7 + [value] + [2.5] * 52, "b": range(60), "species": ["x", "y"] * 30})
        parquet.write_table(table, stream := BytesIO())
        if word is None:
            assert read(there, stream.getvalue(), "a.parquet").schema.column("a").nullable
        else:
            assert word in refusal(there, stream.getvalue(), "a.parquet")


def test_files_below_a_prefix_are_rows_with_their_folder_as_label(there: s3.Store) -> None:
    for number in range(60):
        there.put(f"pictures/{'ab'[number % 2]}/{number}.png", bytes([number]) * 9)
    found = tables.read(described("s3://datasets/pictures/", target="label"), 1)
    assert found.schema.names == ["label", "content"]
    assert {content[0] for content in found.training["content"]} | {x[0] for x in found.test["content"]} == {*range(60)}


def test_a_text_has_a_document_a_line_and_a_prefix_of_texts_one_a_file(there: s3.Store) -> None:
    lines = tables.look(described(there.put("a.txt", "one, two\nthree\n\nfour\n"), target=None), 1)
    assert ([(c.name, c.kind) for c in lines.schema.columns], lines.rows) == ([("text", Kind.TEXT)], 3)
    for number in range(40):
        there.put(f"texts/{'ab'[number % 2]}/{number}.txt", f"document\n{number}")
    found = tables.read(described("s3://datasets/texts/", target="label"), 1)
    assert found.schema.column("text").kind is Kind.TEXT
    assert found.training["text"].str.startswith("document\n").all()


def test_groups_stay_together(there: s3.Store) -> None:
    content = "customer,a,species\n" + "".join(f"c{i % 40},{i},{'ab'[i % 2]}\n" for i in range(400))
    found = read(there, content, test={"by": ["customer"]}, features=["customer", "a"])
    assert set(found.training["customer"]).isdisjoint(found.test["customer"])
    assert read(there, content, test={"by": ["customer"]}).schema.names == ["a", "species"]
    assert found.test_groups is not None
    by_group = {(row, group) for row, group in zip(found.test["customer"], found.test_groups, strict=True)}
    assert len(by_group) == found.test["customer"].nunique() == len(set(found.test_groups))


def test_a_choice_of_features_or_another_fraction_moves_no_row_into_the_test(there: s3.Store) -> None:
    whole = read(there, CSV, test={"fraction": 0.2})
    chosen = read(there, CSV, test={"fraction": 0.2}, features=["number"])
    assert chosen.test["number"].tolist() == whole.test["number"].tolist()
    larger = read(there, CSV, test={"fraction": 0.3})
    assert set(whole.test["number"]) < set(larger.test["number"])


def test_rows_since_a_time_are_the_test_in_the_order_of_time(there: s3.Store) -> None:
    days = [f"2026-09-{1 + i * 7 % 30:02d}" for i in range(30)]
    content = "ts,a,species\n" + "".join(f"{day},{i},{'ab'[i % 2]}\n" for i, day in enumerate(days))
    found = read(there, content, test={"time": "ts", "from": "2026-09-20"})
    assert (len(found.training), len(found.test)) == (19, 11)
    assert [days[i] for i in [*found.training["a"], *found.test["a"]]] == sorted(days)
    assert found.schema.names == ["a", "species"]
    assert "line 2, column 'ts' is missing" in refusal(
        there, content.replace(days[0], "", 1), test={"time": "ts", "from": "2026-09-20"}
    )


@pytest.mark.parametrize(
    "kind", ["timestamp[us]", "timestamp[ns, tz=UTC]", "timestamp[ms, tz=Europe/Berlin]", "date32"]
)
def test_times_of_parquet_have_the_types_of_their_writers(kind: str, there: s3.Store) -> None:
    days = [datetime(2026, 9, 1 + i * 7 % 30, tzinfo=UTC) for i in range(30)]
    unit, _, zone = kind.removeprefix("timestamp[").rstrip("]").partition(", tz=")
    wanted = pyarrow.date32() if kind == "date32" else pyarrow.timestamp(unit, zone or None)
    times = pyarrow.array(days, pyarrow.timestamp("us", "UTC")).cast(pyarrow.timestamp("us")).cast(wanted)
    table = pyarrow.table({"ts": times, "a": [*range(30)], "species": [*"ab"] * 15})
    parquet.write_table(table, stream := BytesIO())
    test = {"time": "ts", "from": "2026-09-20"}
    found = read(there, stream.getvalue(), "a.parquet", test=test)
    assert (len(found.training), len(found.test)) == (19, 11)
    kept = read(there, stream.getvalue(), "a.parquet", test=test, features=["a", "ts"]).training["ts"]
    assert str(kept.dtype) == "datetime64[ns, UTC]"
    assert kept.is_monotonic_increasing


def test_a_test_set_of_its_own_is_read_with_the_same_schema(there: s3.Store) -> None:
    test = there.put("test.csv", HEADER + "1.5,NA,3,mars\n2.5,1,4,setosa\n")
    found = read(there, CSV, test={"uri": test})
    assert (len(found.training), found.test["species"].tolist()) == (200, ["mars", "setosa"])
    assert found.schema.column("width").nullable


@pytest.mark.parametrize("test", [{}, {"by": ["g"]}])
def test_a_sample_is_drawn_from_all_rows_in_their_order(test: dict[str, Any], there: s3.Store) -> None:
    content = "g,a,species\n" + "".join(f"{i % 97},{i},{'ab'[i % 2]}\n" for i in range(5_000))
    whole, found = read(there, content, test=test), read(there, content, test=test, sample=400)
    assert (len(found.training), len(found.test)) == (400, 100)
    assert found.training["a"].tolist() == sorted(found.training["a"])
    assert set(found.test["a"]) <= set(whole.test["a"])
    assert found.training["a"].mean() == pytest.approx(2_500, rel=0.15)
    assert found.training_rows.rows == 400


@pytest.mark.parametrize(
    ("name", "target", "rows_"),
    [
        ("iris", "species", 150),
        ("wine", "cultivar", 178),
        ("breast-cancer", "diagnosis", 569),
        ("digits", "digit", 1797),
        ("diabetes", "progression", 442),
    ],
)
def test_data_of_scikit_learn_need_no_store(name: str, target: str, rows_: int) -> None:
    task = "regression" if name == "diabetes" else "classification"
    found = tables.read(described(f"sklearn:{name}", target=target, task=task), 1)
    assert len(found.training) + len(found.test) == rows_
    assert found.schema.names[-1] == target
    assert {column.kind for column in found.schema.without(target).columns} == {Kind.NUMBER}
