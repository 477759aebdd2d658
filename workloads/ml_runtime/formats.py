"""Reads the files of a source block by block: what is written in them, before anybody says what kind it is.

A value of a CSV is a text, one of parquet or JSON has the type that it has there. Memory holds one block of a file.
The module owns the formats, and in which line of a file a row is; kinds are the business of ml_runtime.inference and
ml_runtime.values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING, Any

from ml_runtime import csv_files
from ml_runtime.data_spec import Csv, DataSpec, Format
from ml_runtime.errors import RunError
from ml_runtime.schema import LARGEST_WHOLE
from ml_runtime.sources import Files, LocalFile

if TYPE_CHECKING:
    from pyarrow import Table

ROWS, FILE_BYTES = 32_768, 16 * 2**20
PATH, LABEL, CONTENT, TEXT = "path", "label", "content", "text"
ENDINGS: Mapping[str, Format] = {
    "csv": Format.CSV, "tsv": Format.CSV, "data": Format.CSV, "parquet": Format.PARQUET, "pq": Format.PARQUET,
    "jsonl": Format.JSONL, "ndjson": Format.JSONL, "json": Format.JSONL, "txt": Format.TEXT, "text": Format.TEXT,
    "jpg": Format.FILES, "jpeg": Format.FILES, "png": Format.FILES, "gif": Format.FILES, "bmp": Format.FILES,
    "webp": Format.FILES, "tif": Format.FILES, "tiff": Format.FILES, "wav": Format.FILES,
}  # fmt: skip
COMPRESSED = ("gz", "bz2", "zst")


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some rows of one file, with names and values as they are written."""

    table: Table
    place: Callable[[int], str]
    """Where in the file a row of the block is, in words."""
    texts: bool
    """Whether the file knows texts only, so that "7" may be a number."""


def choose(spec: DataSpec, files: Files) -> Format:
    """The format of a source: the settings', the report's, or that of the endings.

    Raises:
        RunError: the endings tell none, or more than one.
    """
    if spec.format is not None:
        return spec.format
    if files.report is not None:
        return Format.PARQUET
    endings = {_ending(each.name) for each in files.files}
    found = {ENDINGS.get(ending) for ending in endings}
    if len(found) == 1 and None not in found:
        return Format(str(found.pop()))
    raise RunError(
        f"{spec.uri} has files with the endings {', '.join(sorted(map(repr, endings)))}, which tell no one "
        f"format; name "
        f"it in `format`, one of {', '.join(Format)}, or leave only files of one format there"
    )


def read(spec: DataSpec, form: Format, files: Files, columns: Sequence[str] | None = None) -> Iterator[Block]:
    """All blocks of all files, of which only these columns are needed.

    Raises:
        RunError: a file is not what its format says; names its line.
    """
    if form is Format.FILES or (form is Format.TEXT and files.folder):
        yield from _whole_files(files.files, form)
        return
    for file in files.files:
        with _explained(file, form):
            if form is Format.CSV:
                yield from _csv(file, spec.csv, columns)
            elif form is Format.PARQUET:
                yield from _parquet(file, columns)
            else:
                yield from _lines(file, form)


def _csv(file: LocalFile, csv: Csv, columns: Sequence[str] | None) -> Iterator[Block]:
    start = 0
    for table in csv_files.tables(file, csv, columns):
        yield Block(table=table, place=partial(_place, file, csv, start), texts=True)
        start += table.num_rows


def _place(file: LocalFile, csv: Csv, start: int, row: int) -> str:
    return csv_files.place(file, csv, start + row)


def _parquet(file: LocalFile, columns: Sequence[str] | None) -> Iterator[Block]:
    import pyarrow
    from pyarrow import parquet

    with parquet.ParquetFile(file.path) as content:
        names = [name for name in content.schema_arrow.names if columns is None or name in columns]
        start = 0
        for batch in content.iter_batches(batch_size=ROWS, columns=names, use_threads=False):
            yield Block(table=pyarrow.Table.from_batches([batch]), place=_row_of(file, start), texts=False)
            start += batch.num_rows


def _row_of(file: LocalFile, start: int, word: str = "row") -> Callable[[int], str]:
    return lambda row: f"{file.uri}, {word} {start + row + 1}"


def _lines(file: LocalFile, form: Format) -> Iterator[Block]:
    import pyarrow

    with TextIOWrapper(pyarrow.input_stream(str(file.path)), encoding="utf-8-sig", newline="\n") as stream:
        numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(stream))
        rows = ((number, line) for number, line in numbered if line.strip())
        while some := list(islice(rows, ROWS)):
            numbers = [number for number, _ in some]
            place = _line_of(file, numbers)
            if form is Format.TEXT:
                table = pyarrow.table({TEXT: [line for _, line in some]})
            else:
                table = _of_objects([_object(place, row, line) for row, (_, line) in enumerate(some)], place)
            yield Block(table=table, place=place, texts=form is Format.TEXT)


def _line_of(file: LocalFile, numbers: Sequence[int]) -> Callable[[int], str]:
    return lambda row: f"{file.uri}, line {numbers[row] + 1}"


def _object(place: Callable[[int], str], row: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as broken:
        raise RunError(f"{place(row)} is no JSON: {broken}; each line must be one object") from broken
    if not isinstance(found, dict):
        raise RunError(
            f"{place(row)} is {type(found).__name__}, not an object; each line must be one, without a list around"
        )
    return found


def _of_objects(rows: Sequence[dict[str, Any]], place: Callable[[int], str]) -> Table:
    import pyarrow

    names = list(dict.fromkeys(name for row in rows for name in row))
    return pyarrow.table({name: _array(name, [row.get(name) for row in rows], place) for name in names})


def _array(name: str, values: list[Any], place: Callable[[int], str]) -> Any:
    """Numbers if all of them are, else texts as they are written."""
    import pyarrow

    for row, value in enumerate(values):
        if isinstance(value, list | dict):
            raise RunError(
                f"{place(row)}, column {name!r} is a {type(value).__name__}; a table has one value in each place"
            )
    present = [value for value in values if value is not None]
    plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in present)
    if plain and all(abs(value) <= LARGEST_WHOLE for value in present if isinstance(value, int)):
        whole = all(isinstance(value, int) for value in present)
        return pyarrow.array(values, pyarrow.int64() if whole and present else pyarrow.float64())
    texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pyarrow.array(texts, pyarrow.string())


def _whole_files(files: Sequence[LocalFile], form: Format) -> Iterator[Block]:
    """A row for each file: its path, the folder that it is in, and its content."""
    import pyarrow

    start = 0
    while start < len(files):
        some, size = [], 0
        for file in files[start:]:
            some.append(file)
            size += file.path.stat().st_size
            if size >= FILE_BYTES or len(some) >= ROWS:
                break
        content = [_text(file) if form is Format.TEXT else file.path.read_bytes() for file in some]
        table = pyarrow.table(
            {
                PATH: [file.name for file in some],
                LABEL: [file.name.rpartition("/")[0].rpartition("/")[2] or None for file in some],
                TEXT if form is Format.TEXT else CONTENT: content,
            }
        )
        yield Block(table=table, place=lambda row, some=some: some[row].uri, texts=form is Format.TEXT)  # type: ignore[misc]
        start += len(some)


def _text(file: LocalFile) -> str:
    with _explained(file, Format.TEXT):
        return file.path.read_bytes().decode("utf-8-sig")


@contextmanager
def _explained(file: LocalFile, form: Format) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, UnicodeDecodeError) as broken:
        raise RunError(f"{file.uri} is no {form} that can be read: {str(broken).splitlines()[0][:300]}") from broken
    except OSError as broken:
        if broken.errno is not None:  # the machine's own
            raise
        raise RunError(f"{file.uri} is cut off or damaged: {str(broken)[:300]}; write it again") from broken


def _ending(name: str) -> str:
    parts = name.rpartition("/")[2].lower().split(".")
    while len(parts) > 2 and parts[-1] in COMPRESSED:
        parts.pop()
    return parts[-1] if len(parts) > 1 else ""
