"""What one training run does: the contract between the stack, which writes it, and the container.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json:

    {
      "run": "iris-3f2a9c1d",              key of the run: same key, same run, never registered twice
      "dataset": {
        "bucket": "datasets", "key": "iris.csv",  or "iris/preprocessed/": what an ETL run has left there
        "sha256": "9f86d0..."              optional: refuse any other content
      },
      "columns": ["sepal_length", ...],    the CSV's columns in order, the target among them; it has no header
      "target": "species",                 the column to predict; all others are numbers
      "estimator": "logistic-regression",  one of ESTIMATORS in ml_runtime.estimators
      "parameters": {"C": 1.0},            optional: keyword arguments of the estimator
      "held_out": 0.2,                     optional: part never trained on, chosen by the rows' content
      "seed": 0,                           optional: random state of the estimator
      "gate": {                            optional, as is each of its keys
        "minimum_accuracy": 0.95,          on the held-out part
        "champion": "better",              than the deployed model: "better", "not-worse" or "ignore"
        "allow_signature_change": false    may columns or types differ from the deployed model's?
      },
      "model": "iris",                     name of the registered model
      "experiment": "iris",                optional: the MLflow experiment; default: the model's name
      "code_version": "sha256:...",        optional: what ran, for the record: image digest or commit
      "patience": 120,                     optional: seconds to go on trying while MLflow or the store is away
      "verdict": {                         optional: without it the verdict is only printed
        "namespace": "models", "configmap": "iris-3f2a9c1d"
      }
    }

The run's answer is `Verdict`: JSON under the key `verdict.json` of that ConfigMap.
Owns the shape and its checks; it reads no environment and talks to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from ml_runtime.errors import SpecError

PATH = Path("/etc/ml-platform/run.json")
VERDICT_KEY = "verdict.json"


class AgainstChampion(StrEnum):
    """What a candidate must show against the deployed model, both scored on the same held-out rows."""

    BETTER = "better"
    NOT_WORSE = "not-worse"
    IGNORE = "ignore"


@dataclass(frozen=True, kw_only=True)
class DataObject:
    """An object in the object store."""

    bucket: str
    key: str
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """What a model must fulfil to become champion."""

    minimum_accuracy: float = 0.0
    champion: AgainstChampion = AgainstChampion.BETTER
    allow_signature_change: bool = False


@dataclass(frozen=True, kw_only=True)
class VerdictPlace:
    """The ConfigMap that takes the verdict; without a name the verdict is only printed."""

    namespace: str
    configmap: str


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run."""

    run: str
    dataset: DataObject
    columns: tuple[str, ...]
    target: str
    estimator: str
    model: str
    experiment: str
    parameters: dict[str, Any] = field(default_factory=dict)
    held_out: float = 0.2
    seed: int = 0
    gate: GateRules = field(default_factory=GateRules)
    code_version: str = ""
    patience: float = 120.0
    verdict: VerdictPlace | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a run.

    `rule` is the rule that refused the candidate (minimum-accuracy, champion, signature), or "accepted".
    `numbers` are what the rules looked at: accuracy, minimum_accuracy, champion_accuracy, held_out_rows.
    """

    run: str
    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float]
    run_id: str  # of MLflow
    version: str | None  # the candidate's, if it was registered
    champion: str | None  # the version that is champion after this verdict
    dataset_sha256: str
    held_out_sha256: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True)


def load(path: Path) -> RunSpec:
    """Read the run's description and check it.

    Raises:
        SpecError: the file is not there, is not JSON, or breaks a rule.
    """
    return parse(read(path))


def read(path: Path) -> Any:
    """A description as it is written.

    Raises:
        SpecError: the file is not there, or is not JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as missing:
        raise SpecError(
            f"can't read the run's description {path}: {missing.strerror}; mount it there or name it"
        ) from missing
    except ValueError as broken:
        raise SpecError(f"{path} is not JSON: {broken}") from broken


def parse(raw: Any) -> RunSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, RunSpec)
    dataset = Block("dataset.", top.take("dataset"), DataObject)
    gate = Block("gate.", top.take("gate", {}), GateRules)
    place = top.take("verdict", None)
    columns = top.check(
        "columns", lambda v: isinstance(v, list) and len(set(v)) == len(v) > 1, "a list of distinct names"
    )
    model = top.text("model")
    return RunSpec(
        run=top.text("run"),
        dataset=DataObject(bucket=dataset.text("bucket"), key=dataset.text("key"), sha256=dataset.take("sha256", None)),
        columns=tuple(columns),
        target=top.check("target", lambda v: v in columns, f"one of the columns {columns}"),
        estimator=top.text("estimator"),
        model=model,
        experiment=top.text("experiment", model),
        parameters=top.check("parameters", lambda v: isinstance(v, dict), "an object", {}),
        held_out=top.check("held_out", lambda v: is_number(v) and 0 < v < 1, "a number between 0 and 1", 0.2),
        seed=top.check("seed", lambda v: isinstance(v, int), "a whole number", 0),
        gate=_gate(gate),
        code_version=top.text("code_version", ""),
        patience=top.check("patience", lambda v: is_number(v) and v > 0, "seconds, above 0", 120.0),
        verdict=None if place is None else verdict_place(Block("verdict.", place, VerdictPlace)),
    )


def _gate(table: Block) -> GateRules:
    return GateRules(
        minimum_accuracy=table.check(
            "minimum_accuracy", lambda v: is_number(v) and 0 <= v <= 1, "between 0 and 1", 0.0
        ),
        champion=AgainstChampion(
            table.check(
                "champion",
                lambda v: v in set(AgainstChampion),
                f"one of {[*map(str, AgainstChampion)]}",
                "better",
            )
        ),
        allow_signature_change=table.check(
            "allow_signature_change", lambda v: isinstance(v, bool), "true or false", False
        ),
    )


def verdict_place(table: Block) -> VerdictPlace:
    return VerdictPlace(namespace=table.text("namespace"), configmap=table.text("configmap"))


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Block:
    """One JSON object of the description, with the path of its keys for messages."""

    def __init__(self, prefix: str, raw: object, shape: type[Any]) -> None:
        self._prefix = prefix
        if not isinstance(raw, Mapping):
            raise SpecError(f"{prefix.rstrip('.') or 'the description'} must be an object, not {type(raw).__name__}")
        allowed = {each.name for each in fields(shape)}
        if unknown := sorted(set(raw) - allowed):
            raise SpecError(f"unknown key {prefix}{unknown[0]}; allowed: {', '.join(sorted(allowed))}")
        self._raw = raw

    def take(self, key: str, *default: Any) -> Any:
        if key not in self._raw and not default:
            raise SpecError(f"{self._prefix}{key} is missing")
        return self._raw.get(key, *default)

    def check(self, key: str, good: Callable[[Any], bool], rule: str, *default: Any) -> Any:
        value = self.take(key, *default)
        if not good(value):
            raise SpecError(f"{self._prefix}{key} is {value!r}; it must be {rule}")
        return value

    def text(self, key: str, *default: str) -> str:
        value: str = self.check(key, lambda v: isinstance(v, str) and bool(v or default), "a text", *default)
        return value
