"""What one ETL run does: the contract between the stack, which writes it, and the Spark driver.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json:

    {
      "run": "iris-5d0e91b7",                    key of the run
      "data": {"uri": "s3://datasets/raw/iris.data", ...},          the raw table: ml_runtime.data_spec; target or none
      "classes": {"Iris-setosa": "0", ...},      optional: each class of the target as it is written; no others pass
      "maximum_refused": 0.01,                   optional: the run fails if more of all rows are unfit
      "output": "s3://datasets/dev/clean/clean-5d0e91b7/",          a folder of this run's own
      "code_version": "sha256:...",              optional: what ran, for the record
      "patience": 120,                           optional: seconds to go on trying while the Kubernetes API is away
      "verdict": {"namespace": "spark-jobs", "configmap": "iris-5d0e91b7"}       optional
    }

The run's verdict has one output, `table`: the sha256 of the data, as their report has it.
Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_runtime.data_spec import DataSpec, Format, Task, parse_data
from ml_runtime.errors import SpecError
from ml_runtime.places import Stored, stored
from ml_runtime.spec import Block, RunSpec, is_number, parse_run

FORMATS = (Format.CSV, Format.PARQUET, Format.JSONL)


@dataclass(frozen=True, kw_only=True)
class EtlSpec(RunSpec):
    """One ETL run."""

    data: DataSpec
    output: Stored
    classes: Mapping[str, str] = field(default_factory=dict)
    maximum_refused: float = 0.01

    @property
    def raw(self) -> Stored:
        assert isinstance(self.data.source, Stored)  # noqa: S101 - checked when the description was
        return self.data.source

    @property
    def form(self) -> Format:
        """How the raw table is written: by the settings, else by the key's ending."""
        ending = self.raw.key.removesuffix(".gz").rpartition(".")[2]
        return self.data.format or {"parquet": Format.PARQUET, "jsonl": Format.JSONL}.get(ending, Format.CSV)


def parse(raw: Any) -> EtlSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, EtlSpec)
    data, classes = parse_data(top), top.check("classes", _is_mapping, "an object of texts", {})
    if not isinstance(data.source, Stored):
        raise SpecError(f"data.uri is {data.uri!r}; Spark reads the object store: write the data there first, s3://...")
    if data.format not in (None, *FORMATS):
        raise SpecError(f"data.format is {data.format!r}; Spark runs take {', '.join(FORMATS)}")
    if classes and (data.target is None or data.task is not Task.CLASSIFICATION):
        raise SpecError(
            "classes are those of the target of a classification; name it in data.target, or leave them out"
        )
    output = stored(top.text("output"), "output")
    if output.is_object or not output.key:
        raise SpecError(f"output is {str(output)!r}; it must be a folder, with a slash at its end")
    rule = "a number from 0 to 1"
    return EtlSpec(
        data=data,
        output=output,
        classes=classes,
        maximum_refused=top.check("maximum_refused", lambda v: is_number(v) and 0 <= v <= 1, rule, 0.01),
        **parse_run(top),
    )


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
