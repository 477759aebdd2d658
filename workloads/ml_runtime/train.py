"""Trains one model and logs it to MLflow: parameters, metrics, signature, input example, data digests, code version.

The run carries the run key as a tag. A second try with the same key takes the run that finished; what a killed try left
unfinished is marked as such.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ml_runtime import data, estimators, prepared, store, tracking
from ml_runtime.command import finish
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.spec import RunSpec

if TYPE_CHECKING:
    from mlflow.entities import Run

# What a server needs to load the model; named, since MLflow would find it out by starting another Python.
REQUIREMENTS = ("mlflow", "scikit-learn", "skops", "pandas", "numpy")


def train(spec: RunSpec) -> Run:
    """The finished MLflow run of this run key, trained now if it is not there yet.

    Raises:
        RunError: the data are not what the description says, or a service was away for too long.
    """
    limit_client_retries()
    content = patiently("the object store", spec.patience, lambda: prepared.read(spec.dataset, spec.columns))
    return patiently("MLflow", spec.patience, lambda: _train(spec, content))


def _train(spec: RunSpec, content: bytes) -> Run:
    if finished := tracking.finished_run(spec):
        return finished
    table = data.parse(content, spec.columns)
    training, held_out = data.split(table, spec.target, spec.held_out)
    estimator = estimators.make(spec.estimator, spec.parameters, spec.seed)
    estimator.fit(_frame(training, spec.target), training.classes(spec.target))
    return _log(spec, estimator, training, held_out, spec.dataset.sha256 or store.digest(content))


def _log(spec: RunSpec, estimator: Any, training: data.Table, held_out: data.Table, digest: str) -> Run:
    import mlflow

    mlflow.set_experiment(spec.experiment)
    held_out_digest = store.digest(held_out.to_csv())
    tags = {
        tracking.RUN_KEY: spec.run,
        tracking.DATASET: f"s3://{spec.dataset.bucket}/{spec.dataset.key}",
        tracking.DATASET_DIGEST: digest,
        tracking.HELD_OUT_DIGEST: held_out_digest,
        tracking.CODE_VERSION: spec.code_version,
    }
    with mlflow.start_run(run_name=spec.run, tags=tags) as run:
        mlflow.log_params(
            {"estimator": spec.estimator, "held_out": spec.held_out, "seed": spec.seed, **spec.parameters}
        )
        mlflow.log_text(held_out.to_csv().decode(), tracking.held_out_path(held_out_digest))
        scores = {"training": training, "held_out": held_out}
        accuracy = {f"{part}_accuracy": _accuracy(estimator, rows, spec.target) for part, rows in scores.items()}
        mlflow.log_metrics({**accuracy, "training_rows": len(training.rows), "held_out_rows": len(held_out.rows)})
        _log_model(estimator, training, spec)
    return mlflow.get_run(run.info.run_id)


def _log_model(estimator: Any, training: data.Table, spec: RunSpec) -> None:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    # It would warn that the image has no pip, which nothing here needs.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    frame = _frame(training, spec.target)
    mlflow.sklearn.log_model(
        estimator,
        name=tracking.MODEL,
        signature=infer_signature(frame, estimator.predict(frame)),
        input_example=frame.head(2),
        pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
        skops_trusted_types=_types(estimator),
        tags={tracking.RUN_KEY: spec.run},
    )


def _types(estimator: Any) -> list[str]:
    """What loading may create beyond what skops knows: scikit-learn's own classes, such as a tree's."""
    import skops.io

    return [
        name for name in skops.io.get_untrusted_types(data=skops.io.dumps(estimator)) if name.startswith("sklearn.")
    ]


def _accuracy(estimator: Any, rows: data.Table, target: str) -> float:
    return float(estimator.score(_frame(rows, target), rows.classes(target)))


def _frame(table: data.Table, target: str) -> Any:
    import pandas

    return pandas.DataFrame(table.features(target), columns=[name for name in table.columns if name != target])


def main() -> int:
    """The command."""
    spec = tracking.spec_from_arguments("ml_runtime.train", __doc__)
    return finish(lambda: print(f"MLflow run {train(spec()).info.run_id}", flush=True))


if __name__ == "__main__":
    sys.exit(main())
