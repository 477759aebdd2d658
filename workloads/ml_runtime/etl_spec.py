"""What one ETL run does: the contract between the stack, which writes it, and the Spark driver.

A JSON file, mounted from a ConfigMap at /opt/ml-platform/etl.json:

    {
      "run": "iris-5d0e91b7",                    key of the run
      "raw": {"bucket": "datasets", "key": "raw/iris.data"},        a CSV without a header
      "columns": ["sepal_length", ...],          its columns in order, the target among them
      "target": "species",                       the column of classes; all others are numbers
      "classes": {"Iris-setosa": "0", ...},      each class as it is to be written
      "maximum_refused": 0.01,                   optional: the run fails if more of all rows are unfit
      "output": {"bucket": "datasets", "key": "iris/preprocessed/"},
      "patience": 120,                           optional: seconds to go on trying while the Kubernetes API is away
      "verdict": {"namespace": "spark-jobs", "configmap": "iris-5d0e91b7"}       optional
    }

The run's answer is `EtlVerdict`: JSON under the key `verdict.json` of that ConfigMap.
Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ml_runtime.rows import Rules
from ml_runtime.spec import Block, DataObject, VerdictPlace, is_number, parse_ending, parse_table

PATH = Path("/opt/ml-platform/etl.json")


@dataclass(frozen=True, kw_only=True)
class EtlSpec:
    """One ETL run."""

    run: str
    raw: DataObject
    columns: tuple[str, ...]
    target: str
    classes: dict[str, str]
    output: DataObject
    maximum_refused: float = 0.01
    patience: float = 120.0
    verdict: VerdictPlace | None = None

    @property
    def rules(self) -> Rules:
        return Rules(self.columns, self.target, self.classes)


@dataclass(frozen=True, kw_only=True)
class EtlVerdict:
    """What became of a run: accepted, or the reason why it left no data."""

    run: str
    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float]
    sha256: str | None  # of the data, as their report has it

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def parse(raw: Any) -> EtlSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, EtlSpec)
    columns, target = parse_table(top)
    return EtlSpec(
        run=top.text("run"),
        raw=_object(top, "raw", "an object's key", lambda key: not key.endswith("/")),
        columns=columns,
        target=target,
        classes=top.check("classes", _is_mapping, "an object of at least two texts"),
        output=_object(top, "output", "a folder, with a slash at its end", lambda key: key.endswith("/")),
        maximum_refused=top.check(
            "maximum_refused", lambda v: is_number(v) and 0 <= v <= 1, "a number from 0 to 1", 0.01
        ),
        **parse_ending(top),
    )


def _object(top: Block, name: str, rule: str, good: Callable[[str], bool]) -> DataObject:
    table = Block(f"{name}.", top.take(name), DataObject)
    key = table.check("key", lambda v: isinstance(v, str) and v != "" and good(v), rule)
    return DataObject(bucket=table.text("bucket"), key=key)


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict) and len(value) > 1 and all(isinstance(each, str) for each in value.values())
