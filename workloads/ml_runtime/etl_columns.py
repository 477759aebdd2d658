"""What the columns of a raw table become in Spark: typed values, the id of each row, and the rule that refuses it.

Expressions alone: nothing is read before somebody asks for rows, but the one pass that counts what texts of a CSV are.
"""

from __future__ import annotations

from typing import Any

from ml_runtime.data_spec import ROW, DataSpec, Format, Task
from ml_runtime.etl_spec import EtlSpec
from ml_runtime.rows import Counts, kind_of
from ml_runtime.schema import CODE, LARGEST_WHOLE, NUMBER, TIME, WHOLE, Kind

RULE, SHOWN = "_rule", "_shown"
NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")


def checked(raw: Any, names: list[str], spec: EtlSpec, broken: str, file: str) -> Any:
    """The raw table with typed columns and ROW, the rule that refuses a row, or none, and what is shown of it then.

    `broken` is the column of what could not be read as a row, if there is one, `file` that of each row's file.
    """
    from pyspark.sql import functions

    texts = raw.select("*", *(_present(raw, name, spec.data).alias(f"\0{name}") for name in names))
    kinds = _kinds(texts, names, spec)
    made = {name: _value(texts, name, kinds[name], spec) for name in names}
    rules = [_refusal(texts, name, kinds[name], made[name], spec) for name in names]
    if broken in raw.columns:
        wrong = texts[broken].isNotNull() & ~_is_blank(texts[broken])
        rules.insert(0, functions.when(wrong, functions.lit("another number of fields than columns, or no row at all")))
    blank = _is_blank(texts[broken]) if broken in raw.columns else functions.lit(False)
    key = sorted(name for name in names if name not in (spec.data.target, ROW))
    row = texts[ROW] if ROW in names else _id([made[name] for name in key])
    columns = [made[name].alias(name) for name in names if name != ROW]
    written = functions.to_json(functions.struct(*(texts[quoted(name)] for name in names)))
    shown = functions.concat_ws(
        ": ", file, functions.coalesce(texts[broken], written) if broken in raw.columns else written
    )
    frame = texts.filter(~functions.coalesce(blank, functions.lit(False)))
    return frame.select(row.alias(ROW), *columns, functions.coalesce(*rules).alias(RULE), shown.alias(SHOWN))


def quoted(name: str) -> str:
    """A column's name in an expression, whatever signs it has."""
    return f"`{name.replace('`', '``')}`"


def _is_blank(record: Any) -> Any:
    from pyspark.sql import functions

    return functions.length(functions.trim(record)) == 0


def _present(raw: Any, name: str, data: DataSpec) -> Any:
    """A value, or null where it is missing."""
    from pyspark.sql import functions

    column = raw[quoted(name)]
    if _type(raw, name) == "string":
        return functions.when(~column.isin(*data.csv.missing), column)
    return functions.when(~functions.isnan(column), column) if _type(raw, name) in ("float", "double") else column


def _type(raw: Any, name: str) -> str:
    found = str(dict(raw.dtypes)[name])
    return "double" if found.startswith("decimal") else found


def _kinds(texts: Any, names: list[str], spec: EtlSpec) -> dict[str, Kind]:
    """The settings' kinds, and for all other columns those that their values suggest."""
    known: dict[str, Kind] = {}
    for name in names:
        type_ = _type(texts, name)
        by_type = (
            Kind.NUMBER if type_ in NUMBERS else Kind.TIME if type_ in ("date", "timestamp", "timestamp_ntz") else None
        )
        target = _of_target(spec.data.task) if name == spec.data.target else None
        if found := spec.data.columns.get(name) or target or by_type or (Kind.CATEGORY if type_ == "boolean" else None):
            known[name] = found
    open_ = [name for name in names if name not in known]
    for name, counts in zip(open_, _counts(texts, open_, spec.data.csv.decimal), strict=True):
        known[name] = kind_of(counts, spec.maximum_refused, typed=spec.form is not Format.CSV)
    return known


def _of_target(task: Task) -> Kind:
    return Kind.NUMBER if task is Task.REGRESSION else Kind.CATEGORY


def _counts(texts: Any, names: list[str], decimal: str) -> list[Counts]:
    from pyspark.sql import functions

    if not names:
        return []
    asked = []
    for name in names:
        text = texts[quoted(f"\0{name}")].cast("string")
        long = text.rlike(_all(WHOLE)) & (functions.abs(text.try_cast("decimal(38,0)")) > LARGEST_WHOLE)
        tests = (text.rlike(_all(pattern(decimal))), text.rlike(_all(CODE)) | long, text.rlike(_all(TIME)))
        asked += [functions.count(text), *map(functions.count_if, tests), functions.approx_count_distinct(text, 0.02)]
    found = [int(value) for value in texts.agg(*asked).first()]
    parts = [found[start : start + 5] for start in range(0, len(found), 5)]
    return [Counts(present=p, numbers=n, codes=c, times=t, distinct=d) for p, n, c, t, d in parts]


def pattern(decimal: str) -> str:
    """How a number is written with this decimal sign."""
    return NUMBER.replace(r"\.", rf"\{decimal}")


def _all(expression: str) -> str:
    return f"^({expression})$"


def _value(texts: Any, name: str, kind: Kind, spec: EtlSpec) -> Any:
    """The column's values as its kind has them; null where one is missing, or unfit."""
    from pyspark.sql import functions

    column, is_text = texts[quoted(f"\0{name}")], _type(texts, name) == "string"
    if kind is Kind.NUMBER and is_text:
        number = functions.translate(column, spec.data.csv.decimal, ".").try_cast("double")
        return functions.when(column.rlike(_all(pattern(spec.data.csv.decimal))), number)
    if kind is Kind.NUMBER:
        number = column.cast("double")
        return functions.when(functions.abs(number) != float("inf"), number)
    if kind is Kind.TIME:
        return (
            functions.when(column.rlike(_all(TIME)), column.try_cast("timestamp"))
            if is_text
            else column.cast("timestamp")
        )
    text = column.cast("string")
    if name == spec.data.target and spec.classes:
        pairs = [functions.when(text == raw, functions.lit(written)) for raw, written in spec.classes.items()]
        return functions.coalesce(*pairs)
    return text


def _refusal(texts: Any, name: str, kind: Kind, made: Any, spec: EtlSpec) -> Any:
    """The rule that refuses a row for this column, or null."""
    from pyspark.sql import functions

    column = texts[quoted(f"\0{name}")]
    is_target = name == spec.data.target
    what = "no class that is mapped" if is_target and spec.classes else f"no {kind}"
    unfit = functions.when(column.isNotNull() & made.isNull(), functions.lit(f"column {name}: {what}"))
    if not is_target:
        return unfit
    return functions.coalesce(functions.when(column.isNull(), functions.lit(f"column {name}: missing")), unfit)


def _id(values: list[Any]) -> Any:
    """What a raw row is known by: a hash of its values, whatever is made of them later; never of the target."""
    from pyspark.sql import functions

    parts = [part for value in values for part in (value.isNull(), value)]
    return functions.lower(functions.hex(functions.xxhash64(*parts))) if parts else functions.lit("")
