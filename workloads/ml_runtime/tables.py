"""Reads the table of a run: its training rows and its test rows, typed, with the schema that all its values suggest.

Each file is read twice, block by block: first all values say of what kinds the columns are, then each row is made of
these kinds and goes to one side. So memory holds what is learned from and tested on, and one block of the rest.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime import builtin, class_rows, formats, inference, learning, sources
from ml_runtime.batches import Batches
from ml_runtime.data_spec import ROW, ByHash, ByTime, DataSpec, Format, Given
from ml_runtime.errors import RunError
from ml_runtime.formats import Block
from ml_runtime.places import Builtin, Source
from ml_runtime.schema import Kind, Schema
from ml_runtime.sides import Division
from ml_runtime.split import Sketch

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame

KNOWN: Mapping[Format, Mapping[str, Kind]] = {
    Format.TEXT: {formats.TEXT: Kind.TEXT, formats.PATH: Kind.TEXT},
    Format.FILES: {formats.CONTENT: Kind.FILE, formats.PATH: Kind.TEXT},
}


@dataclass(frozen=True, kw_only=True)
class Read:
    """A table, as it is learned from and tested on."""

    training: DataFrame
    """The features and the target, in the data's own order; by time where the test is. Not all, of what is streamed."""
    test: DataFrame
    schema: Schema
    """Of both."""
    sha256: str
    """Of the data."""
    training_rows: Sketch
    """Of all rows that a model learns from."""
    test_rows: Sketch
    groups: ndarray[Any, Any] | None
    """A number for each training row, by which rows of one group are known; None where the test is not by groups."""
    test_groups: ndarray[Any, Any] | None
    """The same for the test rows."""
    refused: int
    """Rows without a target: they are left out."""
    notes: tuple[str, ...] = ()
    """What a reader of its model's scores should know of the rows."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What data are, without a row of them."""

    schema: Schema
    sha256: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A source at hand."""

    sha256: str
    blocks: Callable[[Sequence[str] | None], Iterator[Block]]
    """All of it, of which only these columns are needed."""
    known: Mapping[str, Kind] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    """The column that names a row, where there is one, known before a row is read."""


def look(spec: DataSpec, patience: float) -> Looked:
    """What columns the data have.

    Raises:
        RunError: they are not there, or are not what the description says.
    """
    with opened(spec, spec.source, patience) as data:
        schema, rows = _inferred(spec, [data], None)
        return Looked(schema=schema, sha256=data.sha256, rows=rows)


def read(spec: DataSpec, patience: float) -> Read:
    """The table that a description names.

    Raises:
        RunError: it is not there, is not what the description says, or can't be learned from.
    """
    with _divided(spec, patience) as (division, data, _):
        return _read(division, spec, data.sha256, division.training.sketch())


@contextmanager
def streamed(spec: DataSpec, patience: float) -> Iterator[tuple[Read, Batches]]:
    """The same, and all training rows in batches, also those that the settings' `sample` leaves out of the table.

    Raises:
        RunError: as `read`.
    """
    with _divided(spec, patience) as (division, data, needed):
        found = _read(division, spec, data.sha256, division.divided)

        def rows() -> Iterator[DataFrame]:
            return map(division.training_of, data.blocks(needed))

        yield found, Batches(rows=rows, target=str(spec.target), classes=learning.classes(spec, found.schema))


@contextmanager
def _divided(spec: DataSpec, patience: float) -> Iterator[tuple[Division, Opened, list[str] | None]]:
    """All rows on their sides, the data that they are of, and the columns that are read of it."""
    if spec.target is None:
        raise RunError(f"{spec.uri} has no target in its settings; name the column to predict in `target`")
    with ExitStack() as stack:
        data = stack.enter_context(opened(spec, spec.source, patience))
        given = [stack.enter_context(opened(spec, spec.test.source, patience))] if isinstance(spec.test, Given) else []
        needed = _needed(spec, data)
        schema, _ = _inferred(spec, [data, *given], needed)
        division = Division(spec, schema, _features(spec, schema, data), _key(spec, schema, data))
        for block in data.blocks(needed):
            division.add(block)
        for block in (each for one in given for each in one.blocks(needed)):
            division.add(block, test=True)
        division.check()
        yield division, data, needed


def _read(division: Division, spec: DataSpec, sha256: str, learned: Sketch) -> Read:
    grouped = isinstance(spec.test, ByHash) and spec.test.by
    if division.refused:
        print(f"{division.refused:,} rows of {spec.uri} have no {spec.target!r} and are left out", flush=True)
    training, test = division.training.frame(), division.test.frame()
    notes: tuple[str, ...] = ()
    if classes := learning.classes(spec, division.schema):
        notes = class_rows.missing(spec, classes, training[spec.target], test[spec.target])
        print("".join(f"{note}\n" for note in notes), end="", flush=True)
    return Read(
        training=training,
        test=test,
        schema=division.schema,
        sha256=sha256,
        training_rows=learned,
        test_rows=division.test.sketch(),
        groups=division.training.groups() if grouped else None,
        test_groups=division.test.groups() if grouped else None,
        refused=division.refused,
        notes=notes,
    )


@contextmanager
def opened(spec: DataSpec, source: Source, patience: float) -> Iterator[Opened]:
    """The source, for as long as it is read.

    Raises:
        RunError: it is not there.
    """
    if isinstance(source, Builtin):
        yield Opened(sha256=builtin.sha256(source.name), blocks=lambda _: iter([builtin.block(source.name)]))
        return
    with sources.scratch() as folder:
        files = sources.fetch(source, Path(folder), patience)
        form = formats.choose(spec, files)
        known = {column.name: column.kind for column in files.report.schema.columns} if files.report else {}
        identity = (ROW,) if ROW in known else (formats.PATH,) if formats.PATH in KNOWN.get(form, {}) else ()
        yield Opened(
            sha256=files.sha256,
            blocks=lambda columns: formats.read(spec, form, files, columns),
            known={**known, **KNOWN.get(form, {})},
            identity=identity,
        )


def _inferred(spec: DataSpec, opened: Sequence[Opened], needed: Sequence[str] | None) -> tuple[Schema, int]:
    """The schema of all rows, and how many they are."""
    if spec.sha256 not in (None, opened[0].sha256):
        raise RunError(
            f"{spec.uri} has the sha256 {opened[0].sha256}, not {spec.sha256}: somebody replaced the data. Put "
            f"them back, or "
            "name the new digest (or none) in the settings of the data."
        )
    seen: dict[str, inference.Seen] = {}
    for one in opened:
        for block in one.blocks(needed):
            inference.observe(seen, block, spec)
    rows = max((each.count for each in seen.values()), default=0)
    if not rows:
        raise RunError(f"{spec.uri} has no rows")
    _check_names(spec, list(seen))
    known = {name: kind for name, kind in opened[0].known.items() if name != spec.target}  # that is said by the task
    times = {spec.test.column: Kind.TIME} if isinstance(spec.test, ByTime) else {}
    return inference.infer(seen, spec, {**known, **times, **spec.columns}), rows


def _needed(spec: DataSpec, data: Opened) -> list[str] | None:
    """The columns to read, where all others can be passed over."""
    if spec.features is None or spec.target is None:
        return None
    if isinstance(spec.test, ByHash) and not spec.test.by and ROW not in data.identity:
        return None  # the key of a row is all features that there are
    return [*spec.features, spec.target, *spec.apart, *data.identity]


def _check_names(spec: DataSpec, names: Sequence[str]) -> None:
    """Raises RunError if the settings name a column that is not there."""
    of_test = [name for name in spec.apart if name != ROW]
    named = {"target": [spec.target] if spec.target else [], "test": of_test, "columns": spec.columns}
    for key, wanted in {**named, "features": spec.features or ()}.items():
        for name in wanted:
            if name not in names:
                near = difflib.get_close_matches(name, names, 1, 0.6)
                meant = f"; is {near[0]!r} meant?" if near else ""
                there = ", ".join(map(repr, names[:30]))
                ending = formats.TEXT in names and spec.format is None
                text = "; by its ending it is text, so if it is a table, say in `format` which" if ending else ""
                raise RunError(f"{spec.uri} has no column {name!r}, which its `{key}` names, only {there}{meant}{text}")


def _of_data(schema: Schema, spec: DataSpec, data: Opened) -> list[str]:
    """All features that there are."""
    none = {spec.target, *spec.apart, *data.identity}
    return [c.name for c in schema.columns if c.name not in none and c.kind is not Kind.TIME]


def _features(spec: DataSpec, schema: Schema, data: Opened) -> list[str]:
    found = list(spec.features) if spec.features is not None else _of_data(schema, spec, data)
    if not found:
        raise RunError(
            f"{spec.uri} has nothing to predict {spec.target!r} from, only the columns "
            f"{', '.join(map(repr, schema.names))}; "
            "name some in `features`"
        )
    return found


def _key(spec: DataSpec, schema: Schema, data: Opened) -> list[str]:
    """The columns that make a row's hash: a choice of features does not change them, and so moves no row."""
    if isinstance(spec.test, ByHash) and spec.test.by:
        return list(spec.test.by)
    if ROW in schema.names:
        return [ROW]
    return _of_data(schema, spec, data) or _features(spec, schema, data)
