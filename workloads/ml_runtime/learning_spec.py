"""What a run does that leaves a model: the contract between the stack, which writes it, and the container.

A JSON file, mounted from a ConfigMap at /etc/ml-platform/run.json: what ml_runtime.spec has, and

    {
      "data": {...},                       what it learns from, and is tested on: see ml_runtime.data_spec
      "experiment": "iris",                the MLflow experiment
      "estimator": "logistic-regression",  one of ESTIMATORS in ml_runtime.estimators, unless a script makes the model
      "parameters": {"C": 1.0},            optional: keyword arguments of the estimator, or what the script makes of
                                           them; of a step by its path: columns__categories__codes__max_categories
      "seed": 0,                           optional: where chance starts
      "folds": 5,                          optional: cross-validate in so many parts as well
      "workers": 2,                        optional: the pods that train together
      "processes": 1,                      optional: of each of them
      "checkpoints": "s3://datasets/kept/" optional: below which ml_runtime.checkpoints keeps what it is given
    }

The run of an image of a user's own has, in place of `estimator` and `folds`,

      "image": "registry/train@sha256:...",   what makes the model
      "command": ["Rscript", "/train.R"]      optional: what runs in it, in place of its entrypoint
      "workers": 2, "processes": 1            optional: as above

and a tuning has, in place of `folds`, what ml_runtime.tune_spec says. This module owns the shape and its checks; it
reads no environment and talks to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ml_runtime.data_spec import DataSpec, parse_data
from ml_runtime.errors import SpecError
from ml_runtime.parameters import SEEDS
from ml_runtime.spec import Block, RunSpec, is_count, parse_run


@dataclass(frozen=True, kw_only=True)
class LearningSpec(RunSpec):
    """What every run does that leaves a model."""

    data: DataSpec
    experiment: str
    estimator: str | None = None
    """None: a program of a user's own makes the model."""
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def target(self) -> str:
        return self.data.target or ""


@dataclass(frozen=True, kw_only=True)
class TrainSpec(LearningSpec):
    """One training."""

    folds: int | None = None
    workers: int = 1
    processes: int = 1
    """Of each worker."""
    checkpoints: str | None = None


@dataclass(frozen=True, kw_only=True)
class ImageSpec(LearningSpec):
    """One training by the program of an image."""

    image: str
    command: tuple[str, ...] | None = None
    workers: int = 1
    processes: int = 1


def parse(raw: Any) -> TrainSpec:
    """Check the description against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, TrainSpec)
    folds = top.check("folds", lambda v: v is None or (is_count(v) and v > 1), "a whole number, 2 or more", None)
    kept = top.check("checkpoints", _is_prefix, "s3://<bucket>/<prefix>/", None)
    return TrainSpec(**learning(top), folds=folds, checkpoints=kept, **_group(top))


def _is_prefix(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.startswith("s3://") and value.endswith("/"))


def parse_image(raw: Any) -> ImageSpec:
    """The same for a training by the program of an image.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, ImageSpec)
    command = top.check("command", lambda v: v is None or isinstance(v, list), "a list of texts", None)
    return ImageSpec(**learning(top), image=top.text("image"), command=command and tuple(command), **_group(top))


def _group(top: Block) -> dict[str, Any]:
    """How many train together."""
    return {name: top.check(name, is_count, "a whole number, 1 or more", 1) for name in ("workers", "processes")}


def learning(top: Block) -> dict[str, Any]:
    """The fields of LearningSpec, checked.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    data = parse_data(top)
    if data.target is None:
        raise SpecError("data.target is missing: a run that learns needs the column to predict")
    chosen = top.check("parameters", lambda v: isinstance(v, dict), "an object", {})
    if own := sorted(set(SEEDS) & set(chosen)):
        raise SpecError(f"parameters.{own[0]} is the run's own `seed`; take it out of the parameters and set that")
    return {
        **parse_run(top),
        "data": data,
        "experiment": top.text("experiment"),
        "estimator": top.check("estimator", lambda v: v is None or (isinstance(v, str) and v != ""), "a text", None),
        "parameters": chosen,
        "seed": top.check("seed", lambda v: isinstance(v, int) and 0 <= v < 2**32, "a whole number from 0", 0),
    }
