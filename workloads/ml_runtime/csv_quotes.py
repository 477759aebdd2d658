"""Finds the quotes of a CSV that join what does not belong together: a value and the text after it, or several rows.

A stream is watched while others read it. Only a file in which a quote stands where it opens or closes no value, or that
has values of several lines, is read again, by a reader of its own; whatever else is wrong with a file is the business
of ml_runtime.csv_files.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_runtime.data_spec import Csv
from ml_runtime.schema import is_number

if TYPE_CHECKING:
    from _csv import _reader

    from pyarrow import NativeFile

BLANKS, ENDS = " \t", "\r\n"
SHOWN, LEARNED = 80, 1000


class Watched:
    """A stream, and what the quotes are like in what was read of it."""

    closed = False

    def __init__(self, stream: NativeFile, how: Csv) -> None:
        import numpy

        self._stream, self._sign = stream, (how.quote or "").encode()
        self._last, self._count = b"", 0
        self._beside = numpy.zeros(256, dtype=bool)
        self._beside[list((ENDS + how.separator + (how.quote or "")).encode())] = True
        self.plain = True
        """Whether each quote begins a value or ends one, or is one of two that stand for one in a value."""
        self.joined = False
        """Whether a value has several lines."""

    @property
    def open(self) -> bool:
        """Whether a quote has no other one that closes it, so far."""
        return self._count % 2 == 1

    def read(self, size: int) -> bytes:
        block: bytes = self._stream.read(size)
        content = self._last + block if self._last else b"\n" + block.removeprefix(codecs.BOM_UTF8)
        if self._sign and (self.open or self._sign in content):
            self._judge(content if block else content + b"\n")
        # The last byte is judged with what comes after it, and but once at the end.
        self._last = content[-2:] if block else content[-1:]
        return block

    def _judge(self, content: bytes) -> None:
        import numpy

        signs = numpy.frombuffer(content, dtype=numpy.uint8)
        inner = signs[1:-1]
        at = numpy.flatnonzero(inner == self._sign[0])
        opens = (numpy.arange(len(at)) + self._count) % 2 == 0
        neighbours = numpy.where(opens, signs[:-2][at], signs[2:][at])
        self.plain &= bool(self._beside[neighbours].all())
        lines = numpy.flatnonzero(inner == ord("\n"))
        self.joined |= bool(((numpy.searchsorted(at, lines) + self._count) % 2 == 1).any())
        self._count += len(at)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a quote, as the rest of a sentence that begins with the file."""

    line: int
    words: str


@dataclass
class _Value:
    """A value in quotes: the lines that it is in, where in the first it begins and where in the last it ends."""

    line: int
    start: int
    lines: list[str]
    end: int | None = None

    @property
    def text(self) -> str:
        last = self.lines[-1] if len(self.lines) > 1 else ""
        return "".join([self.lines[0][self.start :], *self.lines[1:-1], last]).rstrip(ENDS)[:SHOWN]


def reader(lines: Iterable[str], how: Csv, separator: str | None = None, *, blanks: bool = False) -> _reader:
    """The standard library's, which takes any quotes; with `blanks`, also those after a blank."""
    sign = separator or how.separator
    if how.quote is None:
        return csv.reader(lines, delimiter=sign, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=sign, quotechar=how.quote, skipinitialspace=blanks)


def fault(lines: Iterable[str], how: Csv, names: Sequence[str], plain: bool = False) -> Fault | None:
    """The first quote that is no good, if there is one, of a file with columns of these names; `plain` as Watched has
    found it."""
    return next(_Reader(lines, how, len(names), plain).faults(), None) if how.quote else None


class _Reader:
    """A file's lines, of which each quote is looked at."""

    def __init__(self, lines: Iterable[str], how: Csv, width: int, plain: bool) -> None:
        self._lines, self._how, self._width, self._plain = enumerate(lines, 1), how, width, plain
        self._sign = str(how.quote)
        sign = re.escape(self._sign)
        self._closing = re.compile(rf"(?:[^{sign}]|{sign}{sign})*+{sign}")
        self._numbers, self._learned = [False] * width, 0
        """Of each column, whether it has nothing but numbers in the first rows."""

    def faults(self) -> Iterator[Fault]:
        for number, line in self._lines:
            # Of a plain file, a line with an even number of quotes is whole.
            if self._sign in line and not (self._plain and line.count(self._sign) % 2 == 0):
                yield from self._of_row(number, line)
            if self._learned < LEARNED and (number > 1 or self._how.header):
                self._learn(_fields(line, self._how))

    def _of_row(self, number: int, line: str) -> Iterator[Fault]:
        position, separator = 0, self._how.separator
        while True:
            if line.startswith(self._sign, position):
                value = self._value(number, line, position)
                if found := self._fault(value):
                    yield found
                    return
                number, line, position = number + len(value.lines) - 1, value.lines[-1], (value.end or 0) + 1
            end = line.find(separator, position)
            text = line[position:] if end < 0 else line[position:end]
            begun = text.lstrip(BLANKS)
            if begun != text and begun.startswith(self._sign) and not self._closing.match(begun, 1):
                yield Fault(number, self._blank(line[position:]))
                return
            if end < 0:
                return
            position = end + 1

    def _value(self, number: int, line: str, start: int) -> _Value:
        value = _Value(number, start, [line])
        found = self._closing.match(line, start + 1)
        while found is None:
            _, line = next(self._lines, (0, ""))
            if not line:
                return value
            value.lines.append(line)
            found = self._closing.match(line)
        value.end = found.end() - 1
        return value

    def _fault(self, value: _Value) -> Fault | None:
        sign, last = self._sign, value.lines[-1]
        if value.end is None:
            return Fault(
                value.line,
                f"has a quote {sign} that is not closed, so all lines after it are one text: {value.text!r}. Close it, "
                "or say in `csv.quote` which sign quotes, null for none",
            )
        rest = last[value.end + 1 :].partition(self._how.separator)[0].strip(BLANKS + ENDS)
        if rest:
            return Fault(
                value.line,
                f"has {rest[:SHOWN]!r} after a quote {sign} that closes a value: {value.text!r}. A quote within quotes "
                f"is written twice; where {sign} is a sign like any other, say so in `csv`: {{quote: null}}",
            )
        if len(value.lines) > 1 and self._are_rows(value):
            return Fault(
                value.line,
                f"and the {len(value.lines) - 1} after it are one value by their quotes {sign}, and rows by all else: "
                f"{value.text!r}. Where {sign} is a sign like any other, say so in `csv`: {{quote: null}}; where it is "
                "one text, write the data as parquet or JSON lines",
            )
        return None

    def _are_rows(self, value: _Value) -> bool:
        """Whether each line of a value is a row by itself, and no prose: that has blanks after its commas."""
        first, last, separator = value.lines[0], value.lines[-1], self._how.separator
        if self._width < 2 or re.search(re.escape(separator) + r"\s", "".join(value.lines)):
            return False
        end = value.end or 0
        whole = [first[: value.start] + first[value.start + 1 :], *value.lines[1:-1], last[:end] + last[end + 1 :]]
        return all(self._is_row(line) for line in whole)

    def _is_row(self, line: str) -> bool:
        fields = _fields(line, self._how)
        fit = (not wanted or self._is_number(text) for wanted, text in zip(self._numbers, fields, strict=False))
        return len(fields) == self._width and all(fit)

    def _learn(self, fields: Sequence[str]) -> None:
        if len(fields) == self._width:
            numbers = map(self._is_number, fields)
            self._numbers = [
                new and (old or not self._learned) for old, new in zip(self._numbers, numbers, strict=True)
            ]
            self._learned += 1

    def _is_number(self, text: str) -> bool:
        text = text.strip(BLANKS + ENDS)
        return text in self._how.missing or is_number(text.replace(self._how.decimal, ".", 1))

    def _blank(self, text: str) -> str:
        return (
            f"has blanks before a quote {self._sign}, which so opens no value: {text.rstrip(ENDS)[:SHOWN]!r}. Take "
            f"them out; where {self._sign} is a sign like any other, say so in `csv`: {{quote: null}}"
        )


def _fields(line: str, how: Csv) -> list[str]:
    return next(reader([line.rstrip(ENDS)], how), [])
