"""Scores data by a version of a model: the answers to all rows, part by part, into the object store.

    {
      "run": "...", "patience": 120, "verdict": {...},
      "data": {...},                        what is scored: see ml_runtime.data_spec; its target is a column as others
      "model": "churn", "version": "3",     a version that a gate has accepted
      "output": "s3://datasets/scores/",    below which the run leaves <run>/part-00000.parquet and so on
      "keep": ["customer"]                  optional: the columns beside the answers; all of them without it
    }

A part has the answers to one block of the data, so a run that starts again goes on after the parts that are there. The
model is asked as its gate has asked it, with the columns and kinds that it has learned from; others don't matter.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime import ask, command, download, own_code, store, tables, taken, tracking
from ml_runtime.answers import Answers
from ml_runtime.ask import Loaded
from ml_runtime.data_spec import Csv, DataSpec, parse_data
from ml_runtime.errors import AwayError, RunError
from ml_runtime.formats import Block
from ml_runtime.own_code import NONE
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.places import Stored, stored_prefix
from ml_runtime.spec import Block as Description
from ml_runtime.spec import RunSpec, parse_run
from ml_runtime.taken import Taken
from ml_runtime.values import Values
from ml_runtime.verdict import Verdict

if TYPE_CHECKING:
    from pandas import DataFrame
    from pyarrow import Table

PREDICTION, PROBABILITY = "prediction", "probability of "
"""The columns of the answers; of a classification, there is one of the second kind for each class."""
REPORT = "_report.json"


@dataclass(frozen=True, kw_only=True)
class BatchSpec(RunSpec):
    """What is scored, by what."""

    data: DataSpec
    model: str
    version: str
    output: Stored
    keep: tuple[str, ...] | None = None

    @property
    def source(self) -> str:
        """The model as ml_runtime.download names it."""
        return f"mlflow://{self.model}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A version, ready to be asked."""

    model: Loaded
    taken: Taken
    csv: Csv
    """How the data are written, if they are CSV."""

    @cached_property
    def _values(self) -> Values:
        """One for all blocks: it knows the texts of those before."""
        return Values(self.taken.features, self.csv.decimal)

    def answers(self, block: Block) -> Answers:
        """To all rows of a block.

        Raises:
            RunError: the block lacks a column, or has a value that is not of its kind; or the model's own error.
        """
        import pandas

        features = self.taken.features
        absent = [name for name in features.names if name not in block.table.column_names]
        if absent:
            raise RunError(
                f"{block.place(0)}: there is no column {absent[0]!r}, which the model has learned from; it takes "
                f"{', '.join(map(repr, features.names))}"
            )
        rows = pandas.DataFrame(self._values.arrays(block))
        for column in features.columns:
            if not column.nullable and rows[column.name].isna().any():
                row = int(rows[column.name].isna().to_numpy().argmax())
                raise RunError(
                    f"{block.place(row)}: column {column.name!r} is missing, and was in no row that the model has "
                    "learned from; fill it, or let the model learn from such rows"
                )
        checked = features.check(rows)
        return own_code.called("the model", lambda: self._asked(checked), NONE)

    def _asked(self, rows: DataFrame) -> Answers:
        try:
            return self.model.answers(rows, self.taken.task, self.taken.classes)
        except Exception as failure:
            if ask.is_machines(failure):
                raise AwayError(f"the model could not be asked here and now: {own_code.said(failure)}") from failure
            raise


def parse(raw: Any) -> BatchSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Description("", raw, BatchSpec)
    keep = top.check("keep", lambda v: v is None or isinstance(v, list), "a list of columns", None)
    return BatchSpec(
        **parse_run(top),
        data=parse_data(top),
        model=top.text("model"),
        version=top.text("version"),
        output=stored_prefix(top, "output"),
        keep=None if keep is None else tuple(keep),
    )


def score(spec: BatchSpec) -> Verdict:
    """All parts, of which those that are there already are not made again.

    Raises:
        RunError: the data, the version or the settings are not what they must be.
        AwayError: a service was away for too long.
    """
    limit_client_retries()
    below = Stored(bucket=spec.output.bucket, key=f"{spec.output.key}{spec.run}/")
    there = {each.place.key for each in store.below(below, spec.patience)}
    rows = made = parts = 0
    with tempfile.TemporaryDirectory() as name, tables.opened(spec.data, spec.data.source, spec.patience) as data:
        scorer = _scorer(spec, Path(name))
        for number, block in enumerate(data.blocks(None)):
            place = Stored(bucket=below.bucket, key=f"{below.key}part-{number:05}.parquet")
            parts, rows = number + 1, rows + block.table.num_rows
            if place.key not in there:
                store.write(place, _parquet(_scored(block, scorer.answers(block), spec)), spec.patience)
                made += 1
                print(f"{place}: {block.table.num_rows:,} rows", flush=True)
        if not rows:
            raise RunError(f"{spec.data.uri} has no rows")
        report = {"rows": rows, "parts": parts, "sha256": data.sha256, "model": spec.model, "version": spec.version}
    _close(Stored(bucket=below.bucket, key=f"{below.key}{REPORT}"), report, spec.patience)
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"{rows:,} rows are scored in {parts} parts, {made} of them now",
        numbers={"rows": float(rows), "parts": float(parts)},
        outputs={"scores": str(below)},
    )


def _close(place: Stored, report: dict[str, Any], patience: float) -> None:
    """Whoever finds it finds all parts."""
    store.write(place, json.dumps(report, indent=2).encode(), patience)


def _scorer(spec: BatchSpec, folder: Path) -> Scorer:
    download.download(spec.source, folder, spec.patience)
    run = patiently("MLflow", spec.patience, lambda: tracking.run_of(_version(spec)))
    if run is None:
        raise RunError(f"the MLflow run that made {spec.source} is gone, and with it what says what the model takes")
    return Scorer(
        model=own_code.called("the model", lambda: Loaded(folder), NONE),
        taken=taken.of(run, spec.patience),
        csv=spec.data.csv,
    )


def _version(spec: BatchSpec) -> Any:
    return tracking.client().get_model_version(spec.model, spec.version)


def _scored(block: Block, answers: Answers, spec: BatchSpec) -> Table:
    """The columns that are kept, and the answers beside them."""
    table = block.table.select(_kept(block, spec))
    columns: dict[str, Any] = {PREDICTION: answers.labels}
    if answers.probabilities is not None and answers.classes is not None:
        named = (f"{PROBABILITY}{name}" for name in answers.classes)
        columns |= dict(zip(named, answers.probabilities.T, strict=True))
    for name, values in columns.items():
        if name in table.column_names:
            raise RunError(f"{spec.data.uri} has a column {name!r}, as the answers have; leave it out by `keep`")
        table = table.append_column(name, [values])
    return table


def _kept(block: Block, spec: BatchSpec) -> Sequence[str]:
    there: list[str] = block.table.column_names
    if spec.keep is None:
        return there
    if absent := [name for name in spec.keep if name not in there]:
        raise RunError(f"{block.place(0)}: there is no column {absent[0]!r}, which `keep` names, only {there[:30]}")
    return spec.keep


def _parquet(table: Table) -> bytes:
    from pyarrow import parquet

    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def main() -> int:
    """The command."""
    return command.run("ml_runtime.batch", __doc__, parse, score)


if __name__ == "__main__":
    sys.exit(main())
