"""Makes a raw table fit for training by Spark: refuses unfit rows, maps classes, writes parquet and a report beside it.

The driver's program. A program of one's own takes its place and changes the rows by `main(change)`: `change` takes a
DataFrame of the accepted rows and gives back another one; checks, report and verdict stay the same. Keys of the object
store are environment variables of all pods; its address is part of Spark's own configuration. What a raw table's
columns are is the business of ml_runtime.etl_columns, what is said of the result that of ml_runtime.etl_result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ml_runtime import etl_columns, etl_result, etl_spec, rows
from ml_runtime.command import arguments, finish, say
from ml_runtime.data_spec import ROW, Format
from ml_runtime.errors import RunError
from ml_runtime.etl_columns import RULE, SHOWN, quoted
from ml_runtime.etl_spec import EtlSpec
from ml_runtime.report import DataReport
from ml_runtime.rows import Account
from ml_runtime.spec import PATH, read
from ml_runtime.verdict import Verdict

Change = Callable[[Any], Any]
BROKEN, FILE = "_corrupt_record", "_file"
EXAMPLES = 5


def prepare(spark: Any, spec: EtlSpec, change: Change | None = None) -> DataReport:
    """Do all of it; the report that was written.

    Raises:
        RunError: there is no raw table, too much of it is unfit, or a class is not in it.
    """
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    raw = _raw(spark, spec)
    names = [name for name in raw.columns if name not in (BROKEN, FILE)]
    rows.check_columns(spec, names)
    etl_result.check(raw.select(*map(quoted, names)))
    checked = etl_columns.checked(raw, names, spec, BROKEN, FILE)
    account = _account(checked)
    rows.judge(spec, account)
    frame = checked.filter(checked[RULE].isNull()).select(ROW, *(quoted(name) for name in names if name != ROW))
    frame = change(frame) if change else frame
    if spec.data.target is not None and spec.data.target not in frame.columns:
        raise RunError(f"the rows have no column {spec.data.target!r} any more, only {frame.columns}; keep the target")
    etl_result.check(frame)
    frame.write.parquet(spec.output.s3a, mode="overwrite")
    found = etl_result.described(spark, spec, account.rows - account.accepted)
    rows.check_classes(spec, found.classes)
    etl_result.write(spark, spec, found)
    return found


def _raw(spark: Any, spec: EtlSpec) -> Any:
    """The raw table, with the file of each row, and what could not be read as a row."""
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions

    try:
        frame = _read(spark, spec, spec.raw.s3a)
    except AnalysisException as refused:
        if refused.getCondition() != "PATH_NOT_FOUND":
            raise
        raise RunError(f"{spec.data.uri}: there is no such object; put the raw table there") from refused
    if spec.data.features is not None:
        kept = {*spec.data.features, *spec.data.columns, *spec.data.apart, spec.data.target, BROKEN}
        frame = frame.select(*(frame[quoted(name)] for name in frame.columns if name in kept))
    return frame.withColumn(FILE, functions.input_file_name())


def _read(spark: Any, spec: EtlSpec, place: str) -> Any:
    from pyspark.sql.types import StringType, StructField, StructType

    if spec.form is Format.PARQUET:
        return spark.read.parquet(place)
    if spec.form is Format.JSONL:
        return spark.read.json(place, columnNameOfCorruptRecord=BROKEN)
    csv = spec.data.csv
    # A doubled quote is a quote, as everywhere else; Spark's own is a backslash.
    quote = csv.quote or ""
    how = {"sep": csv.separator, "quote": quote, "escape": quote, "encoding": csv.encoding}
    how |= {"ignoreLeadingWhiteSpace": "true", "ignoreTrailingWhiteSpace": "true"}
    spark.conf.set("spark.sql.caseSensitive", True)  # else it gives new names to those that differ in case alone
    names = csv.header or spark.read.csv(place, header=True, inferSchema=False, **how).columns
    spark.conf.unset("spark.sql.caseSensitive")
    fields = [StructField(name, StringType()) for name in (*names, BROKEN)]
    header = csv.header is None
    return spark.read.csv(place, StructType(fields), header=header, columnNameOfCorruptRecord=BROKEN, **how)


def _account(checked: Any) -> Account:
    counts = {row[0]: int(row[1]) for row in checked.groupBy(RULE).count().collect()}
    refused = checked.filter(checked[RULE].isNotNull())
    examples = [row[0] for row in refused.select(SHOWN).limit(EXAMPLES).collect()] if set(counts) - {None} else []
    rules = {rule: count for rule, count in counts.items() if rule is not None}
    return Account(rows=sum(counts.values()), refused=rules, examples=examples)


def run(spec: EtlSpec, change: Change | None = None) -> None:
    """Prepare the table and leave the verdict, also on a run that can't be done.

    Raises:
        RunError: see prepare().
    """
    from pyspark.sql import SparkSession

    try:
        with SparkSession.builder.appName(spec.run).getOrCreate() as spark:
            found = prepare(spark, spec, change)
    except RunError as failed:
        say(Verdict(run=spec.run, accepted=False, rule="data", reason=str(failed)), spec)
        raise
    numbers = {"rows": float(found.rows), "refused": float(found.refused)}
    outputs = {"table": found.sha256}
    reason = f"{found.rows} rows are in {spec.output}"
    say(Verdict(run=spec.run, accepted=True, rule="accepted", reason=reason, numbers=numbers, outputs=outputs), spec)


def main(change: Change | None = None) -> int:
    """The command."""
    path = arguments("ml_runtime.etl", __doc__, PATH)
    return finish(lambda: run(etl_spec.parse(read(path)), change))


if __name__ == "__main__":
    sys.exit(main())
