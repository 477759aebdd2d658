"""What the steps of a run with an image of a user's own hand on: files, which variables of the environment name.

The user's program finds the training rows as parquet, the schema, and a description of the run; it saves a model. The
test rows, and what else is known of the table, lie in a folder that its container does not have. The module owns these
files; which rows they have is the business of ml_runtime.tables, the model that of ml_runtime.made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime import kept, learning
from ml_runtime.errors import RunError
from ml_runtime.schema import Kind, Schema
from ml_runtime.split import Sketch
from ml_runtime.tables import Read

if TYPE_CHECKING:
    from pyarrow import Schema as Types

    from ml_runtime.learning_spec import ImageSpec

ROWS = 131_072
"""So many rows are a group of the parquet file, and in memory once more."""
TEST, TEST_GROUPS = "test.csv", "test-groups.json"
TRAINING_SKETCH, TEST_SKETCH, TABLE = "training-rows.json", "test-rows.json", "table.json"


@dataclass(frozen=True, kw_only=True)
class Handover:
    """Where the files are."""

    run: Path
    training_rows: Path
    schema: Path
    model: Path
    """The folder that the user's program makes."""
    kept: Path
    """The folder that the user's program does not see."""

    @staticmethod
    def of(environment: Mapping[str, str]) -> Handover:
        """As the variables say.

        Raises:
            RunError: one of them is not set.
        """
        names = {each.name: f"ML_{each.name.upper()}" for each in fields(Handover)}
        if missing := [variable for variable in names.values() if variable not in environment]:
            raise RunError(f"{missing[0]} is not set; it names a file of the run")
        return Handover(**{name: Path(environment[variable]) for name, variable in names.items()})


def write(files: Handover, spec: ImageSpec, table: Read) -> None:
    """Put all there that the later steps read."""
    write_rows(files.training_rows, table)
    files.schema.write_text(table.schema.to_json())
    files.run.write_text(json.dumps(_described(spec, table), indent=2, ensure_ascii=False))
    (files.kept / TEST).write_bytes(kept.to_csv(table.test, table.schema))
    if groups := kept.groups(table.test_groups):
        (files.kept / TEST_GROUPS).write_bytes(groups)
    (files.kept / TRAINING_SKETCH).write_text(table.training_rows.to_json())
    (files.kept / TEST_SKETCH).write_text(table.test_rows.to_json())
    (files.kept / TABLE).write_text(json.dumps(_known(table)))


def read(files: Handover) -> Read:
    """The table that `write` was given."""
    import numpy
    from pyarrow import parquet

    groups = files.kept / TEST_GROUPS
    schema = Schema.from_json(files.schema.read_text())
    known = json.loads((files.kept / TABLE).read_text())
    return Read(
        training=schema.check(parquet.read_table(files.training_rows).to_pandas()),
        test=kept.from_csv((files.kept / TEST).read_bytes(), schema),
        schema=schema,
        training_rows=Sketch.from_json((files.kept / TRAINING_SKETCH).read_text()),
        test_rows=Sketch.from_json((files.kept / TEST_SKETCH).read_text()),
        groups=None,  # they are for folds, and nobody here has any
        test_groups=numpy.asarray(json.loads(groups.read_text())) if groups.exists() else None,
        **{**known, "notes": tuple(known["notes"])},
    )


def _known(table: Read) -> dict[str, Any]:
    return {"sha256": table.sha256, "refused": table.refused, "notes": table.notes}


def _described(spec: ImageSpec, table: Read) -> dict[str, Any]:
    """The run, as far as it is the user's program's business."""
    return {
        "run": spec.run,
        "target": spec.target,
        "task": str(spec.data.task),
        "features": learning.features(spec.data, table.schema).names,
        "parameters": spec.parameters,
        "seed": spec.seed,
    }


def write_rows(path: Path, table: Read) -> None:
    """Put the training rows there as parquet, a part of them in memory once more."""
    from pyarrow import Table, parquet

    types = _types(table.schema)
    with parquet.ParquetWriter(path, types) as writer:
        for start in range(0, len(table.training), ROWS):
            rows = table.training.iloc[start : start + ROWS]
            writer.write_table(Table.from_pandas(rows, types, preserve_index=False))


def _types(schema: Schema) -> Types:
    """Those of the kinds; what is missing is null."""
    import pyarrow

    times, files = pyarrow.timestamp("ns", "UTC"), pyarrow.binary()
    known = {Kind.TIME: times, Kind.FILE: files, Kind.CATEGORY: pyarrow.string(), Kind.TEXT: pyarrow.string()}
    number = {True: pyarrow.int64(), False: pyarrow.float64()}
    return pyarrow.schema(
        [pyarrow.field(each.name, known.get(each.kind, number[each.whole])) for each in schema.columns]
    )
