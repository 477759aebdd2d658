"""What every run logs of its candidate: digests, held-out rows, scores, model, signature, example, code version.

A gate needs nothing else to judge it. How the model came to be is the business of whoever logs it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ml_runtime import data, prepared, store, tracking
from ml_runtime.errors import RunError
from ml_runtime.learning_spec import CandidateVerdict, LearningSpec
from ml_runtime.metrics import scores
from ml_runtime.patience import patiently

if TYPE_CHECKING:
    from mlflow.entities import Run

# What a server needs to load the model; named, since MLflow would find it out by starting another Python.
REQUIREMENTS = ("mlflow", "scikit-learn", "skops", "xgboost-cpu", "pandas", "numpy")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The table of a run: what is learned from, and what is held out."""

    spec: LearningSpec
    training: data.Table
    held_out: data.Table
    sha256: str
    """Of the whole table, as whoever has put it there names it."""

    @property
    def scored(self) -> Mapping[str, data.Table]:
        """What the model is scored on, for the record; its gate scores it again."""
        return {"training": self.training, "held_out": self.held_out}

    def features(self, table: data.Table) -> Any:
        """The columns to predict from, as a DataFrame."""
        import pandas

        return pandas.DataFrame({name: table.numbers(name) for name in self.spec.features})

    def target(self, table: data.Table) -> Any:
        """The column to predict, as a Series."""
        import pandas

        return pandas.Series(table.values(self.spec.target, self.spec.task), name=self.spec.target)


def read(spec: LearningSpec) -> Rows:
    """The rows that the description names.

    Raises:
        RunError: they are not what it says, or the object store was away for too long.
    """
    content = patiently("the object store", spec.patience, lambda: prepared.read(spec.dataset, spec.columns))
    table = data.parse(content, spec.columns)
    training, held_out = data.split(table, spec.target, spec.task, spec.held_out)
    digest = spec.dataset.sha256 or store.digest(content)
    return Rows(spec=spec, training=training, held_out=held_out, sha256=digest)


def tags(rows: Rows) -> dict[str, str]:
    """Those of the MLflow run of a candidate."""
    spec = rows.spec
    return {
        tracking.RUN_KEY: spec.run,
        tracking.DATASET: f"s3://{spec.dataset.bucket}/{spec.dataset.key}",
        tracking.DATASET_DIGEST: rows.sha256,
        tracking.HELD_OUT_DIGEST: store.digest(rows.held_out.to_csv()),
        tracking.CODE_VERSION: spec.code_version,
    }


def log(rows: Rows, estimator: Any, parameters: Mapping[str, Any]) -> dict[str, float]:
    """Log a fitted estimator, and what it was fitted with, in the active run; its scores.

    Raises:
        RunError: a server could not load it.
    """
    import mlflow

    spec = rows.spec
    mlflow.log_params({"held_out": spec.held_out, "seed": spec.seed, **parameters})
    content = rows.held_out.to_csv()
    mlflow.log_text(content.decode(), tracking.held_out_path(store.digest(content)))
    found = {
        f"{part}_{name}": score
        for part, table in rows.scored.items()
        for name, score in _scores(rows, estimator, table).items()
    }
    mlflow.log_metrics({**found, **{f"{part}_rows": len(table.rows) for part, table in rows.scored.items()}})
    log_model(rows, estimator)
    return found


def _scores(rows: Rows, estimator: Any, table: data.Table) -> dict[str, float]:
    return scores(rows.spec.task, list(rows.target(table)), list(estimator.predict(rows.features(table))))


def log_model(rows: Rows, estimator: Any) -> None:
    """The estimator as the active run's model, with its signature and an example of what it takes.

    Raises:
        RunError: a server could not load it.
    """
    from mlflow.models import infer_signature

    # It would warn that the image has no pip, which nothing here needs.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    frame = rows.features(rows.training)
    _log(
        estimator,
        name=tracking.MODEL,
        signature=infer_signature(frame, estimator.predict(frame)),
        input_example=frame.head(2),
        pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        tags={tracking.RUN_KEY: rows.spec.run},
    )


def verdict(spec: LearningSpec, run: Run) -> CandidateVerdict:
    """Of a finished run: its candidate, for a gate to judge."""
    return CandidateVerdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"MLflow run {run.info.run_id} has its model",
        numbers=dict(run.data.metrics),
        candidate=run.info.run_id,
        dataset_sha256=run.data.tags[tracking.DATASET_DIGEST],
        held_out_sha256=run.data.tags[tracking.HELD_OUT_DIGEST],
    )


def _log(estimator: Any, **common: Any) -> None:
    """In the format of its library that is data, not code."""
    if type(estimator).__module__.startswith("xgboost."):
        import mlflow.xgboost

        mlflow.xgboost.log_model(estimator, model_format="json", **common)
        return
    import mlflow.sklearn

    mlflow.sklearn.log_model(
        estimator,
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
        skops_trusted_types=_types(estimator),
        **common,
    )


def _types(estimator: Any) -> list[str]:
    """What loading may create beyond what skops knows: scikit-learn's own classes, such as a tree's.

    Raises:
        RunError: there are others, which no server has.
    """
    import skops.io

    found = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    if unknown := [name for name in found if not name.startswith("sklearn.")]:
        raise RunError(
            f"the model is made of {', '.join(unknown)}, which no server has; make it of scikit-learn's own classes, "
            "or one estimator of XGBoost"
        )
    return list(found)
