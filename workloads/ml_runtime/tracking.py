"""What runs leave for each other in MLflow: tags, paths, and how they are found again.

Owns no decision. Each run is a process of its own: all that it needs is its description and MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_runtime.errors import RunError
from ml_runtime.learning_spec import LearningSpec

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

RUN_KEY = "ml-platform.run"
DATASET = "ml-platform.dataset"
DATASET_DIGEST = "ml-platform.dataset.sha256"
HELD_OUT_DIGEST = "ml-platform.held-out.sha256"
CODE_VERSION = "ml-platform.code-version"
JUDGEMENT = "ml-platform.judgement"
MODEL = "model"
CHAMPION = "champion"


def held_out_path(digest: str) -> str:
    """Where a run keeps the rows that its model was not trained on."""
    return f"held-out/{digest}.csv"


def client() -> MlflowClient:
    """A client of the server that MLFLOW_TRACKING_URI names."""
    import mlflow

    return mlflow.MlflowClient()


def finished_run(spec: LearningSpec) -> Run | None:
    """The run of this key that has its model; runs of this key that were cut off are marked as killed."""
    mlflow = client()
    experiment = mlflow.get_experiment_by_name(spec.experiment)
    if experiment is None:
        return None
    finished = None
    for run in mlflow.search_runs([experiment.experiment_id], f"tags.`{RUN_KEY}` = '{spec.run}'"):
        if run.info.status == "FINISHED":
            finished = finished or run
        elif run.info.status == "RUNNING":
            mlflow.set_terminated(run.info.run_id, "KILLED")
    return finished


def model_id(run: Run) -> str:
    """The model that a run logged.

    Raises:
        RunError: it logged none.
    """
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        raise RunError(f"the MLflow run {run.info.run_id} has no model; delete it, then run this again")
    return str(outputs[0].model_id)


def model_location(run: Run) -> str:
    """The URI of the files of the model that a run logged.

    Raises:
        RunError: it logged none.
    """
    return str(client().get_logged_model(model_id(run)).artifact_location)


def champion(model: str) -> ModelVersion | None:
    """The version that has the alias, if any."""
    from mlflow.exceptions import RestException

    mlflow = client()
    try:
        aliases = mlflow.get_registered_model(model).aliases
    except RestException as absent:
        if absent.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return mlflow.get_model_version(model, str(aliases[CHAMPION])) if CHAMPION in aliases else None
