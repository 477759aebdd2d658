"""What an ETL run says of the table that it has written: its schema, what is in it, and its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_runtime import report
from ml_runtime.data_spec import ROW, Task
from ml_runtime.errors import RunError
from ml_runtime.etl_columns import quoted
from ml_runtime.etl_spec import EtlSpec
from ml_runtime.report import DataReport
from ml_runtime.schema import Column, Kind, Schema, are_categories

KINDS = {
    "tinyint": Kind.NUMBER, "smallint": Kind.NUMBER, "int": Kind.NUMBER, "bigint": Kind.NUMBER, "float": Kind.NUMBER,
    "double": Kind.NUMBER, "decimal": Kind.NUMBER, "timestamp": Kind.TIME, "timestamp_ntz": Kind.TIME,
    "date": Kind.TIME, "binary": Kind.FILE, "boolean": Kind.CATEGORY, "string": Kind.TEXT,
}  # fmt: skip
PARTS = ".parquet"


def check(frame: Any) -> None:
    """Raises RunError if a column is of a type that a table has no place for."""
    for name, kind in frame.dtypes:
        if kind.partition("(")[0] not in KINDS:
            raise RunError(
                f"column {name!r} is a {kind}; a table has one value in each place: take it apart, or drop it"
            )


def described(spark: Any, spec: EtlSpec, refused: int) -> DataReport:
    """The report of what lies in the output's folder."""
    frame = spark.read.parquet(spec.output.s3a)
    names = list(frame.columns)
    counted = _counted(frame)
    rows, parts = int(counted["rows"]), _digests(spark, spec)
    classes = _classes(frame, spec)
    kinds = dict(frame.dtypes)
    schema = Schema(tuple(_column(name, kinds[name], counted, rows, spec, classes) for name in names))
    numbers = [column.name for column in schema.columns if column.kind is Kind.NUMBER]
    known = [name for name in numbers if counted[f"min {name}"] is not None]
    return DataReport(
        run=spec.run,
        schema=schema,
        rows=rows,
        refused=refused,
        classes=classes,
        ranges={name: (float(counted[f"min {name}"]), float(counted[f"max {name}"])) for name in known},
        parts=parts,
        sha256=report.digest(parts),
    )


def write(spark: Any, spec: EtlSpec, found: DataReport) -> None:
    """Put the report beside the data."""
    path = spark._jvm.org.apache.hadoop.fs.Path(f"{spec.output.s3a}{report.NAME}")
    stream = path.getFileSystem(spark._jsc.hadoopConfiguration()).create(path, True)
    stream.write(bytearray(found.to_json().encode()))
    stream.close()


def _counted(frame: Any) -> Mapping[str, Any]:
    """Of each column: values, distinct texts, the least and the greatest number; by words."""
    from pyspark.sql import functions

    asked = [functions.count(functions.lit(1)).alias("rows")]
    for name, kind in frame.dtypes:
        column = frame[quoted(name)]
        asked.append(functions.count(column).alias(f"count {name}"))
        if kind == "string":
            asked.append(functions.approx_count_distinct(column, 0.02).alias(f"distinct {name}"))
        elif KINDS[kind.partition("(")[0]] is Kind.NUMBER:
            asked += [functions.min(column).alias(f"min {name}"), functions.max(column).alias(f"max {name}")]
    found: Mapping[str, Any] = frame.agg(*asked).first().asDict()
    return found


def _classes(frame: Any, spec: EtlSpec) -> dict[str, int]:
    if spec.data.target is None or spec.data.task is not Task.CLASSIFICATION:
        return {}
    return {str(row[0]): int(row[1]) for row in frame.groupBy(frame[quoted(spec.data.target)]).count().collect()}


def _column(
    name: str, type_: str, counted: Mapping[str, Any], rows: int, spec: EtlSpec, classes: Mapping[str, int]
) -> Column:
    nullable = counted[f"count {name}"] < rows
    if name == spec.data.target and classes:
        return Column(name, Kind.CATEGORY, nullable, tuple(sorted(classes)))
    kind = KINDS[type_.partition("(")[0]]
    if type_ == "string" and name != ROW:
        few = are_categories(counted[f"distinct {name}"], counted[f"count {name}"])
        kind = spec.data.columns.get(name, Kind.CATEGORY if few else Kind.TEXT)
    return Column(name, kind, nullable, whole=kind is Kind.NUMBER and type_.endswith("int") and not nullable)


def _digests(spark: Any, spec: EtlSpec) -> dict[str, str]:
    """The sha256 of each file, read as a stream: a file may be larger than memory."""
    hadoop, digests = spark._jvm.org.apache.hadoop.fs, spark._jvm.org.apache.commons.codec.digest.DigestUtils
    folder = hadoop.Path(spec.output.s3a)
    files = folder.getFileSystem(spark._jsc.hadoopConfiguration())
    found = {}
    for status in files.listStatus(folder):
        name = str(status.getPath().getName())
        if name.endswith(PARTS):
            stream = files.open(status.getPath())
            found[name] = str(digests.sha256Hex(stream))
            stream.close()
    return found
