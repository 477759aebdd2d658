"""Makes a raw table fit for training by Spark: checks its rows, maps its classes, writes CSV and a report beside it.

The driver's program. A program of one's own takes its place and changes the rows by `main(change)`: `change` takes a
DataFrame of the accepted rows and gives back another one; checks, report and verdict stay the same. Keys of the object
store are environment variables of all pods; its address is part of Spark's own configuration.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ml_runtime import etl_spec, report
from ml_runtime.command import arguments, finish, say
from ml_runtime.errors import RunError
from ml_runtime.etl_spec import EtlSpec, EtlVerdict
from ml_runtime.report import DataReport
from ml_runtime.rows import Account, Refusal
from ml_runtime.spec import DataObject, read

Change = Callable[[Any], Any]


def prepare(spark: Any, spec: EtlSpec, change: Change | None = None) -> DataReport:
    """Do all of it; the report that was written.

    Raises:
        RunError: there is no raw table, too much of it is unfit, or a class is not in it.
    """
    checked = _lines(spark, spec.raw).map(spec.rules.check).filter(lambda row: row is not None).cache()
    account = checked.aggregate(Account(), Account.add, Account.merge)
    judge(spec, account)
    rows = checked.filter(lambda row: not isinstance(row, Refusal))
    frame = spark.createDataFrame(rows, _schema(spec))
    frame = (change(frame) if change else frame).cache()
    found = _described(spark, spec, frame, account)
    _write_text(spark, f"{_uri(spec.output)}{report.NAME}", found.to_json())
    return found


def judge(spec: EtlSpec, account: Account) -> None:
    """Says how many rows were refused, and why.

    Raises:
        RunError: there are no rows, or more were refused than may be.
    """
    place, refused = _uri(spec.raw), account.refused.total()
    if not account.accepted and not refused:
        raise RunError(f"{place} has no rows; put the raw table there, then run this again")
    if refused:
        print(f"refused {refused} of {account.accepted + refused} rows: {account.describe()}", flush=True)
    if not account.accepted or account.share > spec.maximum_refused:
        raise RunError(
            f"{refused} of {account.accepted + refused} rows of {place} are unfit, more than maximum_refused "
            f"{spec.maximum_refused} lets pass: {account.describe()}. Mend them, or let more pass."
        )


def check_classes(spec: EtlSpec, found: dict[str, int]) -> None:
    """Raises RunError if a class that is mapped is not among those found."""
    if missing := [name for name, written in spec.classes.items() if written not in found]:
        raise RunError(
            f"the class {missing[0]!r} of column {spec.target} is in no accepted row of {_uri(spec.raw)}; there are "
            f"{', '.join(f'{count} of {name}' for name, count in sorted(found.items()))}. Add such rows, or take it "
            "out of `classes`."
        )


def _lines(spark: Any, raw: DataObject) -> Any:
    from pyspark.errors import AnalysisException

    try:
        return spark.read.text(_uri(raw)).rdd.map(lambda line: line.value)
    except AnalysisException as refused:
        if refused.getCondition() != "PATH_NOT_FOUND":
            raise
        raise RunError(f"{_uri(raw)}: there is no such object; put the raw table there") from refused


def _schema(spec: EtlSpec) -> Any:
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    return StructType(
        [StructField(name, StringType() if name == spec.target else DoubleType()) for name in spec.columns]
    )


def _described(spark: Any, spec: EtlSpec, frame: Any, account: Account) -> DataReport:
    """Writes the rows; what was written."""
    from pyspark.sql import functions

    if spec.target not in frame.columns:
        raise RunError(f"the rows have no column {spec.target!r} any more, only {frame.columns}; keep the target")
    classes = {str(row[0]): int(row[1]) for row in frame.groupBy(spec.target).count().collect()}
    check_classes(spec, classes)
    numbers = [name for name, kind in frame.dtypes if kind != "string"]
    ends = frame.agg(*(each(name) for name in numbers for each in (functions.min, functions.max))).first()
    frame.write.csv(_uri(spec.output), header=True, mode="overwrite")
    parts = _digests(spark, spec.output)
    return DataReport(
        run=spec.run,
        columns=tuple(frame.columns),
        target=spec.target,
        rows=sum(classes.values()),
        refused=account.refused.total(),
        classes=classes,
        ranges={name: (ends[2 * index], ends[2 * index + 1]) for index, name in enumerate(numbers)},
        parts=parts,
        sha256=report.digest(parts),
    )


def _digests(spark: Any, folder: DataObject) -> dict[str, str]:
    from pyspark.sql import functions

    files = spark.read.format("binaryFile").option("pathGlobFilter", "*.csv").load(_uri(folder))
    found = files.select("path", functions.sha2("content", 256)).collect()
    return {row[0].rpartition("/")[2]: row[1] for row in found}


def _write_text(spark: Any, uri: str, text: str) -> None:
    path = spark._jvm.org.apache.hadoop.fs.Path(uri)
    stream = path.getFileSystem(spark._jsc.hadoopConfiguration()).create(path, True)
    stream.write(bytearray(text.encode()))
    stream.close()


def _uri(place: DataObject) -> str:
    return f"s3a://{place.bucket}/{place.key}"


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
        say(EtlVerdict(run=spec.run, accepted=False, rule="data", reason=str(failed), numbers={}, sha256=None), spec)
        raise
    reason = f"{found.rows} rows of {len(found.classes)} classes are in {_uri(spec.output)}"
    numbers = {"rows": float(found.rows), "refused": float(found.refused)}
    say(
        EtlVerdict(run=spec.run, accepted=True, rule="accepted", reason=reason, numbers=numbers, sha256=found.sha256),
        spec,
    )


def main(change: Change | None = None) -> int:
    """The command."""
    path = arguments("ml_runtime.etl", __doc__, etl_spec.PATH)
    return finish(lambda: run(etl_spec.parse(read(path)), change))


if __name__ == "__main__":
    sys.exit(main())
