"""Finds the kind of each column from all its values, once.

- number: all values that are not missing are written as numbers;
- time: all are dates or times by ISO 8601;
- category: at most 1,000 distinct texts, each twice on average;
- text: all others. Codes (007) and ids above 2^53 make no number of a column.
The target of a classification is a category, as it is written. A column of numbers in which a few are none is refused,
since a slip would make a category of it; the settings' `columns` say what it is. So is one in which a sign or two stand
for what is missing, and one of numbers with signs around them, such as 12 % or 1.000,5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ml_runtime.data_spec import DataSpec, Task
from ml_runtime.errors import RunError
from ml_runtime.formats import Block
from ml_runtime.schema import (
    CATEGORIES,
    CODE,
    LARGEST_WHOLE,
    NUMBER,
    TIME,
    WHOLE,
    Column,
    Kind,
    Schema,
    are_categories,
    written,
)

if TYPE_CHECKING:
    from pyarrow import Array

CLASSES = 10_000
MOSTLY, HALF = 0.9, 0.5
SIGNS = 2
"""So many distinct texts among numbers may stand for what is missing."""
SOME_CLASSES = 20
"""So many distinct values are classes, however few rows there are."""
DECORATED = (
    r"[-+]?[$€£]? ?[0-9]{1,3}([., '\x{2019}][0-9]{3})+([.,][0-9]+)? ?[%$€£]?"
    r"|[-+]?[$€£] ?[0-9]+([.,][0-9]+)?|[-+]?[0-9]+([.,][0-9]+)? ?[%$€£]"
)
"""Numbers as people write them: thousands set apart, a currency, percent."""


@dataclass
class Seen:
    """What is known of a column's values so far."""

    count: int = 0
    missing: int = 0
    numbers: int = 0
    fractions: int = 0
    """Numbers that are not written as whole ones."""
    codes: int = 0
    times: int = 0
    commas: int = 0
    """Texts that would be numbers with a decimal comma."""
    decorated: int = 0
    """Texts that are numbers with signs around or within them."""
    signs: set[str] = field(default_factory=set)
    """Texts without a digit, of which no more are kept than could stand for what is missing, and one."""
    wordy: int = 0
    """Texts with a digit that are no numbers."""
    typed: int = 0
    """Texts of a file that knows numbers too."""
    files: int = 0
    distinct: set[str] | None = field(default_factory=set)
    other: Callable[[], str] | None = None
    """Says the first text that is no number, and where it is."""

    @property
    def present(self) -> int:
        return self.count - self.missing


def infer(seen: Mapping[str, Seen], spec: DataSpec, known: Mapping[str, Kind]) -> Schema:
    """The schema of what was seen; `known` are kinds that are not to be found. A column without a value says nothing,
    and is left out.

    Raises:
        RunError: a column has values of which no kind can be told, or is a feature by the settings and has none.
    """
    empty = [name for name, each in seen.items() if not each.present and name not in (spec.target, *spec.apart)]
    if named := [name for name in empty if name in (spec.features or ())]:
        raise RunError(f"column {named[0]!r} of {spec.uri} has no value in any row; take it out of `features`")
    if empty:
        print(f"{', '.join(map(repr, empty))} of {spec.uri} have no value in any row and are left out", flush=True)
    there = {name: each for name, each in seen.items() if name not in empty}
    return Schema(tuple(_column(name, each, spec, known.get(name)) for name, each in there.items()))


def observe(seen: dict[str, Seen], block: Block, spec: DataSpec) -> None:
    """Add the values of a block; columns that it lacks are missing in all its rows.

    Raises:
        RunError: a value is a list or a record.
    """
    rows = max((each.count for each in seen.values()), default=0)
    for name in block.table.column_names:
        each = seen.setdefault(name, Seen(count=rows, missing=rows))
        limit = CLASSES if name == spec.target else CATEGORIES
        for array in block.table.column(name).chunks:
            _observe(each, name, array, block, spec.csv.decimal, limit)
    for each in seen.values():
        lacking = rows + block.table.num_rows - each.count
        each.count += lacking
        each.missing += lacking


def _observe(seen: Seen, name: str, array: Array, block: Block, decimal: str, limit: int) -> None:
    import pyarrow
    from pyarrow import compute, types

    kind = array.type
    if types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    seen.count += len(array)
    if types.is_decimal(kind) or types.is_float16(kind):
        array, kind = array.cast(pyarrow.float64()), pyarrow.float64()
    if types.is_floating(kind):
        array = compute.if_else(compute.is_nan(array), pyarrow.scalar(None, kind), array)
    present = array.drop_null()
    seen.missing += len(array) - len(present)
    if types.is_integer(kind) or types.is_floating(kind):
        _observe_numbers(seen, present)
    elif types.is_temporal(kind) and not types.is_time(kind) and not types.is_duration(kind):
        seen.times += len(present)
    elif types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        seen.files += len(present)
    elif types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind):
        texts = compute.cast(present, pyarrow.string())
        _observe_texts(seen, texts, decimal)
        seen.typed += 0 if block.texts else len(present)
        _note_other(seen, array, block, decimal)
    elif not types.is_null(kind):
        raise RunError(
            f"{block.place(0)}, column {name!r} is a {kind}; a table has one value in each place, leave it out"
        )
    _add_distinct(seen, present, limit)


def _observe_numbers(seen: Seen, present: Array) -> None:
    from pyarrow import compute, types

    seen.numbers += len(present)
    if types.is_floating(present.type):
        seen.fractions += len(present)
    elif len(present):
        ends = compute.min_max(present).as_py()
        if max(abs(ends["min"]), abs(ends["max"])) > LARGEST_WHOLE:
            seen.codes += len(present)


def _observe_texts(seen: Seen, texts: Array, decimal: str) -> None:
    from pyarrow import compute

    plain = _matches(texts, number_pattern(decimal))
    numbers = compute.sum(plain, min_count=0).as_py()
    seen.numbers += numbers
    if numbers:
        some = texts.filter(plain) if numbers < len(texts) else texts
        whole = _matches(some, WHOLE)
        seen.fractions += numbers - compute.sum(whole).as_py()
        if compute.max(compute.binary_length(some)).as_py() > 15:
            seen.codes += sum(abs(int(text)) > LARGEST_WHOLE for text in some.filter(whole).to_pylist())
    if numbers < len(texts):
        others = texts.filter(compute.invert(plain))
        seen.codes += compute.sum(_matches(others, CODE), min_count=0).as_py()
        seen.times += compute.sum(_matches(others, TIME), min_count=0).as_py()
        seen.decorated += compute.sum(_matches(others, DECORATED), min_count=0).as_py()
        signs = compute.invert(compute.match_substring_regex(others, "[0-9]"))
        seen.wordy += len(others) - compute.sum(signs).as_py()
        if len(seen.signs) <= SIGNS:
            seen.signs.update(others.filter(signs).unique().slice(0, SIGNS + 1).to_pylist())
        comma = "," if decimal == "." else "."
        seen.commas += compute.sum(_matches(others, number_pattern(comma)), min_count=0).as_py()


def _note_other(seen: Seen, array: Array, block: Block, decimal: str) -> None:
    """Where the first value is that is neither a number nor a code."""
    import pyarrow
    from pyarrow import compute

    if seen.other is None and seen.numbers + seen.codes < seen.present:
        fits = _matches(compute.cast(array, pyarrow.string()), f"({number_pattern(decimal)})|({CODE})")
        row = compute.index(fits, False).as_py()
        value = array[row].as_py() if row >= 0 else None
        seen.other = (lambda: f"{block.place(row)}: {value!r}") if row >= 0 else None


def _add_distinct(seen: Seen, present: Array, limit: int) -> None:
    from pyarrow import types

    if seen.distinct is not None and not types.is_binary(present.type):
        seen.distinct.update(written(value) for value in present.unique().to_pylist())
        if len(seen.distinct) > limit:
            seen.distinct = None


def number_pattern(decimal: str) -> str:
    return NUMBER.replace(r"\.", rf"\{decimal}")


def _matches(texts: Array, pattern: str) -> Any:
    from pyarrow import compute

    return compute.match_substring_regex(texts, f"^({pattern})$")


def _column(name: str, seen: Seen, spec: DataSpec, known: Kind | None) -> Column:
    kind = known or _kind(name, seen, name == spec.target and spec.task is Task.CLASSIFICATION)
    is_target = name == spec.target
    if is_target and kind is not (wanted := _of_target(spec.task)):
        raise RunError(
            f"the target {name!r} is a {kind}, and {spec.task} predicts a {wanted}; see its `task` and `columns`"
        )
    if is_target and kind is Kind.CATEGORY and seen.distinct is None:
        raise RunError(
            f"the target {name!r} has more than {CLASSES:,} distinct values, too many to be classes; "
            "if it is a quantity, its task is regression"
        )
    if is_target and seen.distinct is not None and kind is Kind.CATEGORY:
        _check_classes(name, sorted(seen.distinct), seen.present)
    return Column(
        name=name,
        kind=kind,
        nullable=seen.missing > 0 and not is_target,
        categories=tuple(sorted(seen.distinct)) if kind is Kind.CATEGORY and seen.distinct is not None else None,
        whole=kind is Kind.NUMBER
        and not is_target
        and not seen.missing
        and seen.numbers == seen.count
        and not seen.fractions,
    )


def _check_classes(name: str, classes: Sequence[str], rows: int) -> None:
    """Raises RunError if there is nothing to tell apart, or if they are no classes."""
    if len(classes) == 1:
        raise RunError(f"the target {name!r} is {classes[0]!r} in all rows: there is nothing to tell apart")
    if len(classes) > SOME_CLASSES and len(classes) > HALF * rows:
        raise RunError(
            f"the target {name!r} has {len(classes):,} distinct values in {rows:,} rows, too many to be classes; "
            "if it is a quantity, its task is regression"
        )


def _of_target(task: Task) -> Kind:
    return Kind.CATEGORY if task is Task.CLASSIFICATION else Kind.NUMBER


def _kind(name: str, seen: Seen, classes: bool) -> Kind:
    if seen.files:
        return Kind.FILE
    if classes:
        return Kind.CATEGORY
    if not seen.codes:
        _check_slips(name, seen)
        if seen.numbers == seen.present and not seen.typed:
            return Kind.NUMBER
    if seen.times and seen.times == seen.present:
        return Kind.TIME
    few = seen.distinct is not None and are_categories(len(seen.distinct), seen.present)
    return Kind.CATEGORY if few else Kind.TEXT


def _check_slips(name: str, seen: Seen) -> None:
    """Raises RunError if the column is one of numbers but for a few, or but for how its fractions are written."""
    others = seen.present - seen.numbers
    if others and seen.commas and seen.commas + seen.numbers == seen.present:
        raise RunError(
            f"column {name!r} is one of numbers if {seen.commas} of its {seen.present} values have a decimal "
            f"comma; say so "
            f'in `csv`: {{decimal: ","}}, or what it is in `columns`: {{{name}: category}}'
        )
    if seen.decorated and seen.other and seen.numbers + seen.decorated >= MOSTLY * seen.present:
        raise RunError(
            f"{seen.other()} is a number with more than digits, a sign and a decimal point, as are {seen.decorated:,} "
            f"of the {seen.present:,} values of column {name!r}; write them plainly, or say in `columns` what the "
            f"column is: {{{name}: category}}"
        )
    signs = len(seen.signs) <= SIGNS and not seen.wordy and seen.numbers >= HALF * seen.present
    if others and seen.other and (signs or seen.numbers >= MOSTLY * seen.present):
        raise RunError(
            f"{seen.other()} is not a number, as are {seen.numbers:,} of the {seen.present:,} values of column "
            f"{name!r}; mend "
            f"it, add it to `csv.missing`, or say in `columns` what the column is: {{{name}: category}}"
        )
