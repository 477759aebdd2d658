"""Where a table lies: what an ETL run leaves, files of DVC, a store that stumbles, a scratch that is too small."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pytest
from ml_runtime import report, store, tables
from ml_runtime.errors import RunError
from ml_runtime.places import Stored
from ml_runtime.report import DataReport
from ml_runtime.schema import Column, Kind, Schema
from pyarrow import parquet
from support import s3
from support.tabled import (
    CSV,
    FLOWERS,
    HEADER,
    NAMES,
    as_parquet,
    described,
    read,
    refusal,
    rows,
)


def folder(there: s3.Store, **changes: Any) -> str:
    """What an ETL run leaves, its report changed."""
    table = pandas.read_csv(BytesIO(CSV)).assign(_row=[f"{i:016x}" for i in range(200)])
    parts = {}
    for number in range(2):
        some = table.iloc[number * 100 : number * 100 + 100]
        parquet.write_table(pyarrow.Table.from_pandas(some, preserve_index=False), stream := BytesIO())
        name = f"part-{number}.snappy.parquet"
        there.put(f"clean/{name}", stream.getvalue())
        parts[name] = store.digest(stream.getvalue())
    kinds = (Kind.NUMBER, Kind.CATEGORY, Kind.NUMBER, Kind.CATEGORY, Kind.TEXT)
    schema = Schema(tuple(map(Column, (*NAMES, "_row"), kinds)))
    left = DataReport(
        run="clean-1",
        schema=schema,
        rows=200,
        refused=0,
        classes={},
        ranges={},
        parts=parts,
        sha256=report.digest(parts),
    )
    there.put("clean/_report.json", json.dumps({**json.loads(left.to_json()), **changes}))
    return "s3://datasets/clean/"


def test_what_an_etl_run_leaves_is_known_by_its_report(there: s3.Store) -> None:
    found = tables.read(described(folder(there)), 1)
    assert found.schema.names == NAMES
    assert found.schema.column("width").kind is Kind.CATEGORY
    assert found.sha256 == json.loads(there.objects["datasets/clean/_report.json"])["sha256"]
    assert (found.training_rows.key, found.training_rows.rows + found.test_rows.rows) == ("_row", 200)


def test_a_derived_column_moves_no_row_of_an_etl_run(there: s3.Store) -> None:
    whole = tables.read(described(folder(there)), 1).test["number"].tolist()
    for number in range(2):
        key = f"datasets/clean/part-{number}.snappy.parquet"
        table = parquet.read_table(BytesIO(there.objects[key])).to_pandas()
        table["length"] = table["length"].map("{:.3f}".format)
        parquet.write_table(pyarrow.Table.from_pandas(table.assign(more=1)), stream := BytesIO())
        there.objects[key] = stream.getvalue()
    del there.objects["datasets/clean/_report.json"]
    assert tables.read(described("s3://datasets/clean/"), 1).test["number"].tolist() == whole


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, "contradicts itself"),
        ({"schema": 1}, "has no report of an ETL run"),
        ({"parts": {"part-9.parquet": "0"}, "sha256": hashlib.sha256(b"0").hexdigest()}, "lacks part-9.parquet"),
    ],
)
def test_a_folder_is_believed_no_further_than_its_report_goes(
    changes: dict[str, Any], words: str, there: s3.Store
) -> None:
    with pytest.raises(RunError, match=words):
        tables.read(described(folder(there, **changes)), 1)


def test_a_file_that_was_replaced_after_the_run_is_found_out(there: s3.Store) -> None:
    uri = folder(there)
    there.objects["datasets/clean/part-0.snappy.parquet"] = as_parquet()
    with pytest.raises(RunError, match="somebody replaced it"):
        tables.read(described(uri), 1)


def test_files_of_dvc_are_read_and_verified_by_their_md5(there: s3.Store) -> None:
    def put(content: bytes, ending: str = "") -> str:
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + ending
        there.put(f"dvc/files/md5/{md5[:2]}/{md5[2:]}", content)
        return md5

    remote = "s3://datasets/dvc"
    one = {"dvc": {"md5": put(CSV), "remote": remote}}
    assert rows(tables.read(described(one, format="csv"), 1)) == rows(read(there, CSV))
    listing = json.dumps([{"md5": put(CSV), "relpath": "a/b.csv"}]).encode()
    many = {"dvc": {"md5": put(listing, ".dir"), "remote": remote}}
    assert rows(tables.read(described(many), 1)) == rows(read(there, CSV))
    there.put(f"dvc/files/md5/{put(CSV)[:2]}/{put(CSV)[2:]}", CSV + b"1,1,1,setosa\n")
    with pytest.raises(RunError, match="not that of its name"):
        tables.read(described(many), 1)


def test_data_that_the_scratch_has_no_room_for_are_not_begun(there: s3.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_runtime.sources.KEPT_FREE", 2**60)
    assert "the scratch" in refusal(there, CSV)


def test_a_table_of_many_rows_costs_little_more_than_its_frames(there: s3.Store, tmp_path: Path) -> None:
    """A coarse bound on what Arrow holds at once: blocks, never the table."""
    lines = FLOWERS * 500
    before = pyarrow.default_memory_pool().max_memory()
    read(there, HEADER + lines)
    assert pyarrow.default_memory_pool().max_memory() - before < 8 * len(lines)


@pytest.mark.parametrize("faults", [[0], [503], [429], [0, 500, 0]], ids=str)
def test_a_store_that_stumbles_is_waited_for(
    faults: list[int], there: s3.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_runtime.patience.FIRST_PAUSE", 0.001)
    monkeypatch.setattr(store, "PART", 1_000)
    there.faults = list(faults)
    assert rows(tables.read(described(there.put("a.csv", CSV)), 30)) == rows(read(there, CSV))


def test_what_is_written_never_replaces_another_content(there: s3.Store) -> None:
    place = Stored(bucket="datasets", key="iris.csv")
    assert store.write_new(place, b"one", 1)
    assert not store.write_new(place, b"one", 1)
    with pytest.raises(RunError, match=r"s3://datasets/iris.csv has another content.* stays as it is"):
        store.write_new(place, b"two", 1)
    assert there.objects["datasets/iris.csv"] == b"one"


def test_an_object_that_is_not_there_is_named(there: s3.Store) -> None:
    for uri, words in (
        ("s3://datasets/b.csv", "no such object"),
        ("s3://datasets/none/", "no object below this prefix"),
    ):
        with pytest.raises(RunError, match=words):
            tables.read(described(uri), 1)
