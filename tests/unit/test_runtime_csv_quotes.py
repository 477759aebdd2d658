"""Quotes of a CSV: those that join rows are refused in words of the file, those that don't are read as they are."""

from __future__ import annotations

import itertools
from io import BytesIO
from typing import Any

import pytest
from ml_runtime.csv_quotes import Watched
from ml_runtime.data_spec import Csv
from support import s3
from support.tabled import CSV, FLOWERS, HEADER, read, refusal, rows

NONE = {"csv": {"quote": None}}
SINGLE = {"csv": {"quote": "'"}}
TEXTS = "note,size,species\n" + "".join(
    f"{('fine', 'bad')[i % 2]},{i},{('setosa', 'virginica')[i % 2]}\n" for i in range(80)
)


def noted(*lines: str) -> str:
    """A table of which one column is a text, with these lines from its sixth on."""
    first, *others = TEXTS.splitlines(True)
    return "".join([first, *others[:4], *(f"{line}\n" for line in lines), *others[4:]])


def notes(there: s3.Store, content: str | bytes, **data: Any) -> list[str]:
    found = read(there, content, columns={"note": "category"}, **data)
    return sorted({str(row[0]) for row in rows(found)} - {"fine", "bad"})


@pytest.mark.parametrize(
    ("lines", "data", "words"),
    [
        (['"13 inch,1,setosa', "x,2,setosa", '"15 inch,3,setosa'], {}, ["line 6 has '15 inch' after a quote"]),
        (["'tis,1,setosa", "x,2,setosa", "'twas,3,setosa"], SINGLE, ["line 6 has 'twas' after a quote '", "null"]),
        (['"5" wide",1,setosa'], {}, ["line 6 has 'wide\"' after a quote", "written twice"]),
        ([r'"a \"b\" c",1,setosa'], {}, ["line 6 has", "written twice"]),
        (['"13 inch,1,setosa', "x,2,setosa", 'tube 15",3,setosa'], {}, ["line 6 and the 2 after", "rows by all else"]),
        (['"13 inch,1,setosa', 'tube 15",3,setosa'], {}, ["line 6 and the 1 after", "{quote: null}", "parquet"]),
        (["x,1,setosa", 'x,"2,setosa', 'x,3",setosa'], {}, ["line 7 and the 1 after"]),
        (['x, "a,b",setosa'], {}, ["line 6 has blanks before a quote", "Take them out"]),
        (['x, "a,setosa'], {}, ["line 6 has blanks before a quote"]),
        (['"open,1,setosa'], {}, ["line 6 has a quote", "not closed", "csv.quote"]),
    ],
    ids=map(str, itertools.count(1)),
)
def test_a_quote_that_joins_what_does_not_belong_together_is_refused(
    lines: list[str], data: dict[str, Any], words: list[str], there: s3.Store
) -> None:
    said = refusal(there, noted(*lines), **data)
    for word in ["a.csv, ", *words]:
        assert word in said


@pytest.mark.parametrize(
    ("lines", "data", "values"),
    [
        (['"two\nlines",1,setosa'], {}, ["two\nlines"]),
        (['"one,\ntwo, three,\nfour",1,setosa'], {}, ["one,\ntwo, three,\nfour"]),
        (['"Yes, it does,\nand well, too",1,setosa'], {}, ["Yes, it does,\nand well, too"]),
        (['"street,a,b\ntown,c,d",1,setosa'], {}, ["street,a,b\ntown,c,d"]),
        (['"a ""word"" of it",1,setosa', '"""",2,setosa'], {}, ['"', 'a "word" of it']),
        (['13",1,setosa', "x,2,setosa", '15",3,setosa'], {}, ['13"', '15"', "x"]),
        (["it's,1,setosa", "'tis,2,setosa", "'twas,3,setosa"], {}, ["'tis", "'twas", "it's"]),
        (['"x" , "1" , "setosa"'], {}, ["x"]),
        ([' "a ""b"" c" ,1, "setosa"'], {}, ['a "b" c']),
        (['"13 inch,1,setosa', "x,2,setosa", '"15 inch,3,setosa'], NONE, ['"13 inch', '"15 inch', "x"]),
        (['"13 inch,1,setosa', 'tube 15",3,setosa'], NONE, ['"13 inch', 'tube 15"']),
        (["'a,b',1,setosa"], SINGLE, ["a,b"]),
    ],
    ids=map(str, itertools.count(1)),
)
def test_a_quote_of_which_there_is_no_doubt_is_read(
    lines: list[str], data: dict[str, Any], values: list[str], there: s3.Store
) -> None:
    assert notes(there, noted(*lines), **data) == values


@pytest.mark.parametrize(
    "content",
    [
        CSV.replace(b"setosa", b'"setosa"'),
        b"\xef\xbb\xbf" + b'"length" , "width","number","species"\r\n' + FLOWERS.encode(),
        ('"length","width","number",species\n' + FLOWERS).encode("utf-16"),
        ('length, "width", "number", "species"\n' + FLOWERS.replace("setosa", ' "setosa"')).encode(),
    ],
    ids=["in quotes", "after a mark", "in UTF-16", "after blanks"],
)
def test_a_header_may_be_in_quotes(content: bytes, there: s3.Store) -> None:
    data = {"csv": {"encoding": "utf-16"}} if content[:2] in (b"\xff\xfe", b"\xfe\xff") else {}
    assert rows(read(there, content, **data)) == rows(read(there, CSV))


def test_a_stray_quote_is_found_where_columns_are_left_out_and_where_it_is_late(there: s3.Store) -> None:
    many = HEADER + FLOWERS * 300
    stray = f'{many}1,"13,1,setosa\n1,3,1,setosa\n1,"15,3,setosa\n'
    assert len(stray) > 2**20
    assert "a.csv, line 60002 has '15' after a quote" in refusal(there, stray, features=["length"])


def test_a_table_of_one_column_of_texts_has_no_rows_within_quotes(there: s3.Store) -> None:
    content = "species\n" + '"a\nb"\nc\n' * 20
    assert "nothing to predict" in refusal(there, content)  # and no word of quotes


@pytest.mark.parametrize("size", [3, 4, 5, 7, 1000])
@pytest.mark.parametrize(
    ("content", "plain", "joined", "is_open"),
    [
        (b'a,b\n"x","y"\n"",""""\n', True, False, False),
        (b'\xef\xbb\xbf"a",b\n1,"x"', True, False, False),
        (b'a,b\n"x\ny",1\n', True, True, False),
        (b'a,b\n"x\n', True, True, True),
        (b'a,b\n"x"y,1\n', False, False, False),
        (b'a,b\n1, "x"\n', False, False, False),
        (b'a,b\n13",1\n15",2\n', False, True, False),
    ],
    ids=["all good", "a mark", "two lines", "open", "text after", "a blank before", "none opens"],
)
def test_a_stream_is_watched_alike_however_it_is_read(
    content: bytes, plain: bool, joined: bool, is_open: bool, size: int
) -> None:
    watched = Watched(BytesIO(content), Csv())  # type: ignore[arg-type]
    while watched.read(size):
        pass
    watched.read(size)
    assert (watched.plain, watched.joined, watched.open) == (plain, joined, is_open)
