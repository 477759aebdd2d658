"""What a run of a pipeline is told: the contract between the stack, which writes it, and the container.

    {
      "run": "...", "patience": 120, "verdict": {...}, "code_version": "...",
      "pipeline": "flow.py",                 a file beside the description: Python, or a compiled package in YAML
      "parameters": {"trees": 300},          optional: the pipeline's, those that are places of data included
      "output": "s3://datasets/pipelines/",  below which the run leaves <run>/<stage>/<artifact>
      "api": "http://ml-pipeline:8888",      optional: the API of Kubeflow Pipelines that runs it
      "table": true,                         optional: whether a stage has to leave an artifact `table`
      "model": "churn", "data": {...}        optional: what the pipeline's model is a candidate for, and the data whose
                                             training rows the pipeline gets, and whose test rows judge the model
    }

A run by the clock has the description of the first one, and the name of its Job in its environment, as JOB says. This
module owns the shape and its checks; it talks to nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

from ml_runtime.data_spec import DataSpec, parse_data
from ml_runtime.errors import SpecError
from ml_runtime.learning_spec import LearningSpec
from ml_runtime.places import Stored, stored_prefix
from ml_runtime.spec import Block, RunSpec, parse_run

JOB = "ML_JOB"
"""The variable with the name of the run's Job: that of the run, or another one each time where the clock starts it."""

KEYS = (
    "run",
    "patience",
    "verdict",
    "code_version",
    "pipeline",
    "parameters",
    "output",
    "api",
    "table",
    "model",
    "data",
)


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What the pipeline's model is for."""

    model: str
    data: DataSpec


@dataclass(frozen=True, kw_only=True)
class PipelineSpec(RunSpec):
    """One run of a pipeline."""

    pipeline: str
    parameters: dict[str, Any] = field(default_factory=dict)
    output: Stored
    api: str | None = None
    table: bool = False
    learned: Learned | None = None

    @property
    def artifacts(self) -> Stored:
        """The prefix of what this run leaves."""
        return Stored(bucket=self.output.bucket, key=f"{self.output.key}{self.run}/")

    def learning(self, learned: Learned) -> LearningSpec:
        """The same run as one that leaves a candidate."""
        return LearningSpec(
            run=self.run,
            patience=self.patience,
            code_version=self.code_version,
            data=learned.data,
            experiment=learned.model,
        )


def parse(raw: Any) -> PipelineSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, KEYS)
    found = PipelineSpec(
        **parse_run(top),
        pipeline=top.check("pipeline", _is_file, "the name of a .py or a .yaml file"),
        parameters=top.check("parameters", lambda v: isinstance(v, dict), "an object", {}),
        output=stored_prefix(top, "output"),
        api=top.text("api", "") or None,
        table=top.check("table", lambda v: isinstance(v, bool), "true or false", False),
        learned=_learned(top),
    )
    return replace(found, run=os.environ.get(JOB) or found.run)


def _learned(top: Block) -> Learned | None:
    model = top.text("model", "")
    if not model:
        return None
    data = parse_data(top)
    if data.target is None:
        raise SpecError("data.target is missing: a model is judged by the column that it predicts")
    return Learned(model=model, data=data)


def _is_file(value: object) -> bool:
    return isinstance(value, str) and value.endswith((".py", ".yaml")) and "/" not in value
