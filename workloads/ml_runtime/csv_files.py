"""Reads a CSV in blocks of texts, and says in words of its file what is wrong with it.

Blocks are Arrow's; whatever it refuses is read again by the standard library, which knows in which line that is. Quotes
that join what does not belong together are found by ml_runtime.csv_quotes.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING

from ml_runtime import csv_quotes
from ml_runtime.csv_quotes import BLANKS, Watched
from ml_runtime.data_spec import Csv
from ml_runtime.errors import RunError
from ml_runtime.schema import is_number
from ml_runtime.sources import LocalFile

if TYPE_CHECKING:
    from pyarrow import Array, Table

BLOCK_BYTES = 2**20
SAMPLE_LINES = 50
SEPARATORS = ",;\t|"
OTHERS = {
    b"PK\x03\x04": "an Excel file or another archive; save the sheet as CSV",
    b"PAR1": "parquet; name it in `format`",
    b"\x1f\x8b": "compressed by gzip; its name must end with .gz",
    b"\xff\xfe": "in UTF-16; say so in `csv`: {encoding: utf-16}",
    b"\xfe\xff": "in UTF-16; say so in `csv`: {encoding: utf-16}",
}


def tables(file: LocalFile, how: Csv, columns: Sequence[str] | None) -> Iterator[Table]:
    """The rows in blocks, every value a text without the blanks around it, or none where it is missing.

    Raises:
        RunError: a line has another number of fields than there are columns, or is no text in the encoding; a quote
            joins what does not belong together.
    """
    import pyarrow
    from pyarrow import csv as arrow

    names, skipped = _header(file, how)
    wanted = [name for name in names if name and (columns is None or name in columns)]
    # A column without a name, as pandas writes its index, is not read; Arrow wants one for each.
    unique = [name or f"\0{index}" for index, name in enumerate(names)]
    read = arrow.ReadOptions(
        use_threads=False,
        block_size=BLOCK_BYTES,
        column_names=unique,
        skip_rows_after_names=skipped,
        encoding="utf8" if how.encoding.lower() in ("utf-8", "utf8") else how.encoding,
    )
    parse = arrow.ParseOptions(delimiter=how.separator, quote_char=how.quote or False, newlines_in_values=True)
    convert = arrow.ConvertOptions(
        column_types=dict.fromkeys(unique, pyarrow.string()), include_columns=wanted, strings_can_be_null=False
    )
    missing = pyarrow.array(how.missing, pyarrow.string())
    try:
        with pyarrow.input_stream(str(file.path)) as stream:
            watched = Watched(stream, how)
            for batch in arrow.open_csv(watched, read, parse, convert):
                texts = batch.columns if watched.plain else [_unquoted(each, str(how.quote)) for each in batch.columns]
                yield pyarrow.table([_trimmed(each, missing) for each in texts], names=batch.schema.names)
        if not watched.plain or watched.joined or watched.open:
            _check_quotes(file, how, names, watched.plain)
    except (pyarrow.ArrowInvalid, UnicodeDecodeError) as broken:
        raise _explained(file, how, names, broken) from broken


def _trimmed(values: Array, missing: Array) -> Array:
    """Without the blanks around each, and none where what is left stands for a missing value."""
    import pyarrow
    from pyarrow import compute

    trimmed = compute.utf8_trim(values, BLANKS)
    return compute.if_else(compute.is_in(trimmed, missing), pyarrow.scalar(None, pyarrow.string()), trimmed)


def _unquoted(values: Array, quote: str) -> Array:
    """Those without quotes that have them after a blank, which Arrow takes for a part of the value."""
    from pyarrow import compute

    sign = re.escape(quote)
    whole = rf"^[{BLANKS}]+{sign}((?:[^{sign}]|{sign}{sign})*){sign}[{BLANKS}]*$"
    inner = compute.replace_substring_regex(values, whole, r"\1")
    single = compute.replace_substring(inner, quote * 2, quote)
    return compute.if_else(compute.match_substring_regex(values, whole), single, values)


def _check_quotes(file: LocalFile, how: Csv, names: Sequence[str], plain: bool = False) -> None:
    """Raises RunError if a quote joins what does not belong together."""
    with _opened(file, how) as lines:
        if found := csv_quotes.fault(lines, how, names, plain):
            raise RunError(f"{file.uri}, line {found.line} {found.words}")


def place(file: LocalFile, how: Csv, row: int) -> str:
    """In which line of the file a row is, not counting the header."""
    skipped = 0 if how.header else 1
    for number, (line, _) in enumerate(_rows(file, how)):
        if number == row + skipped:
            return f"{file.uri}, line {line}"
    return f"{file.uri}, row {row + 1}"


def _header(file: LocalFile, how: Csv) -> tuple[list[str], int]:
    """The columns' names, and how many rows of the file to pass over for them."""
    with file.path.open("rb") as binary:
        start = binary.read(4)
    if not how.encoding.lower().startswith("utf-16") and file.path.suffix != ".gz" and (other := _other_start(start)):
        raise RunError(f"{file.uri} {other}")
    try:
        with _opened(file, how) as lines:
            sample = list(islice(lines, SAMPLE_LINES))
    except UnicodeDecodeError as broken:
        raise _explained(file, how, [], broken) from broken
    if not any(line.strip() for line in sample):
        raise RunError(f"{file.uri} has no rows")
    rows = list(csv_quotes.reader(sample, how, blanks=True))
    if hint := _other_look(sample, how):
        raise RunError(f"{file.uri} {hint}")
    if how.header is not None:
        return list(how.header), 0
    blank = next(index for index, row in enumerate(rows) if row)
    names = [name.strip(BLANKS) for name in rows[blank]]
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if any(map(is_number, twice)) or any(is_number(name) and not name.isdigit() for name in names):
        raise RunError(
            f"{file.uri} begins with {sample[blank].strip()[:80]!r}, which names no columns; "
            "name them in `csv`: {header: [...]}"
        )
    if twice:
        raise RunError(f"{file.uri} has more than one column {twice[0]!r}; give each a name of its own")
    return names, blank + 1


def _other_start(start: bytes) -> str | None:
    """What the first bytes say that the file is, if that is no CSV in a usual encoding."""
    if found := next((what for sign, what in OTHERS.items() if start.startswith(sign)), None):
        return f"is {found}"
    if b"\0" in start:
        order = "le" if start.find(b"\0") % 2 else "be"
        return f"has zeros among its bytes, as UTF-16 has; say so in `csv`: {{encoding: utf-16-{order}}}"
    return None


def _explained(file: LocalFile, how: Csv, names: Sequence[str], broken: Exception) -> RunError:
    """What the standard library finds wrong with a file that Arrow has refused."""
    try:
        _check_quotes(file, how, names)
        for line, fields in _rows(file, how):
            if names and len(fields) != len(names):
                whose = "are named" if how.header else "are in its header"
                return RunError(
                    f"{file.uri}, line {line} has {len(fields)} fields, and {len(names)} columns {whose}: "
                    f"{how.separator.join(fields)[:80]!r}. Mend the line, or say in `csv` how the file is written."
                )
    except UnicodeDecodeError as other:
        found = other.object[other.start : other.start + 1]
        return RunError(
            f"{file.uri}, line {_undecodable(file, how)} has the byte {found!r}, which is no text in {how.encoding}; "
            "say in `csv` how it is written, like {encoding: cp1252} for a file of Windows"
        )
    except RunError as found:
        return found
    except csv.Error as other:
        broken = other
    return RunError(f"{file.uri} is no CSV with the separator {how.separator!r}: {str(broken)[:200]}")


def _undecodable(file: LocalFile, how: Csv) -> int:
    """The first line that is no text."""
    import pyarrow

    with pyarrow.input_stream(str(file.path)) as stream:
        for number, line in enumerate(stream.read().split(b"\n"), 1):
            try:
                line.decode(how.encoding)
            except UnicodeDecodeError:
                return number
    return 1


def _other_look(sample: Sequence[str], how: Csv) -> str | None:
    """What the lines look like, if it is not what the settings say."""
    own = list(csv_quotes.reader(sample, how))
    own_counts = {len(row) for row in own if row}
    for sign in SEPARATORS.replace(how.separator, ""):
        rows = [row for row in csv_quotes.reader(sample, how, sign) if row]
        counts = {len(row) for row in rows}
        width = max(counts)
        if len(counts) > 1 or width < 2 or (how.header and len(how.header) != width):
            continue
        expected = {len(how.header)} if how.header else own_counts
        if own_counts != expected or len(own_counts) > 1 or max(own_counts) < width or _numbers(rows) > _numbers(own):
            decimal = (
                ', decimal: ","' if any(re.fullmatch(r"[+-]?\d+,\d+", text) for row in rows for text in row) else ""
            )
            return (
                f"looks like a CSV with the separator {sign!r}, not {how.separator!r}: {sample[0].strip()[:80]!r}. "
                f'Say so in `csv`: {{separator: "{sign}"{decimal}}}'
            )
    return None


def _numbers(rows: Sequence[Sequence[str]]) -> int:
    return sum(is_number(text.replace(",", ".", 1)) for row in rows for text in row)


def _rows(file: LocalFile, how: Csv) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line in which it begins."""
    csv.field_size_limit(sys.maxsize)
    with _opened(file, how) as lines:
        reader, line = csv_quotes.reader(lines, how), 1
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1


@contextmanager
def _opened(file: LocalFile, how: Csv) -> Iterator[TextIOWrapper]:
    import pyarrow

    encoding = "utf-8-sig" if how.encoding.lower() in ("utf-8", "utf8") else how.encoding
    with TextIOWrapper(pyarrow.input_stream(str(file.path)), encoding=encoding, newline="") as lines:
        yield lines
