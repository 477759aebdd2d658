"""Looks at data that somebody has put somewhere, and says what they are: the verdict's outputs are digest and schema.

A data set of scikit-learn is written into the object store where the description says so, for runs that read nothing
else; whatever is there already stays.

    {"run": "...", "data": {...}, "output": "s3://datasets/iris.csv", "patience": 120, "verdict": {...}}
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from ml_runtime import builtin, command, store, tables
from ml_runtime.data_spec import DataSpec, parse_data
from ml_runtime.errors import SpecError
from ml_runtime.places import Builtin, Stored, stored
from ml_runtime.spec import Block, RunSpec, parse_run
from ml_runtime.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(RunSpec):
    """Which data to look at."""

    data: DataSpec
    output: Stored | None = None


def parse(raw: Any) -> DatasetSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, DatasetSpec)
    data, place = parse_data(top), top.take("output", None)
    if place is not None and not isinstance(data.source, Builtin):
        raise SpecError(
            f"output is {place!r}, and data.uri {data.uri!r}; only data of scikit-learn are written elsewhere"
        )
    return DatasetSpec(data=data, output=None if place is None else stored(place, "output"), **parse_run(top))


def look(spec: DatasetSpec) -> Verdict:
    """What the data are.

    Raises:
        RunError: they are not there, are not what the description says, or others are where they are to be written.
    """
    found = tables.look(spec.data, spec.patience)
    place = spec.data.uri
    if spec.output is not None and isinstance(spec.data.source, Builtin):
        store.write_new(spec.output, builtin.csv(spec.data.source.name), spec.patience)
        place = str(spec.output)
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"{found.rows} rows of {len(found.schema.columns)} columns are in {place}",
        numbers={"rows": float(found.rows)},
        outputs={"sha256": found.sha256, "schema": found.schema.to_json()},
    )


def main() -> int:
    """The command."""
    return command.run("ml_runtime.dataset", __doc__, parse, look)


if __name__ == "__main__":
    sys.exit(main())
