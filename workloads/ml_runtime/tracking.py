"""What runs leave for each other in MLflow: tags, paths, aliases, and how they are found again.

Owns no decision. Each run is a process of its own: all that it needs is its description and MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_runtime.errors import RunError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

RUN_KEY = "ml-platform.run"
DATA = "ml-platform.data"
DATA_DIGEST = "ml-platform.data.sha256"
TEST_DIGEST = "ml-platform.test.sha256"
GROUPS_DIGEST = "ml-platform.test.groups.sha256"
"""The tag of a run whose test rows are whole groups, such as customers."""
NOTES = "ml-platform.data.notes"
"""The tag of a run with what is to be known of its rows, where there is something."""
TARGET = "ml-platform.target"
TASK = "ml-platform.task"
CODE_VERSION = "ml-platform.code-version"
JUDGEMENT = "ml-platform.judgement"
FILES_DIGEST = "ml-platform.files.sha256"
"""The tag of a model version with the digest of the files that were judged."""
MODEL = "model"
CHAMPION, CHALLENGER = "champion", "challenger"
"""The aliases: of the version that serves all, and of the one that the gate accepted last."""
SCHEMA = "test/schema.json"
TRAINING_ROWS, TEST_ROWS = "test/training-rows.json", "test/test-rows.json"
"""The sketches of both, by which a gate tells how much of one run's test rows another run has learned from."""


def rows_path(digest: str) -> str:
    """The artifact with the rows that a run's model was not trained on."""
    return f"test/{digest}.csv"


def groups_path(digest: str) -> str:
    """The artifact with the group of each of these rows, where they have some."""
    return f"test/{digest}.json"


def client() -> MlflowClient:
    """A client of the server that MLFLOW_TRACKING_URI names."""
    import mlflow

    return mlflow.MlflowClient()


def experiment(name: str) -> str:
    """The id of the experiment, which is made if there is none.

    Raises:
        RunError: somebody has deleted it, and its name is taken until it is restored or gone for good.
    """
    from mlflow.exceptions import MlflowException

    found = client().get_experiment_by_name(name)
    if found is None:
        try:
            return str(client().create_experiment(name))
        except MlflowException as taken:
            if taken.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return experiment(name)  # another run for this model has made it meanwhile
    if found.lifecycle_stage == "deleted":
        raise RunError(
            f"the experiment {name!r} is deleted in MLflow: restore it by `mlflow experiments restore "
            f"--experiment-id {found.experiment_id}`, or give the run another `experiment`"
        )
    return str(found.experiment_id)


def runs(experiment_id: str, key: str) -> list[Run]:
    """All of this run key, the newest first."""
    return list(client().search_runs([experiment_id], f"tags.`{RUN_KEY}` = '{key}'"))


def finished_run(experiment_id: str, key: str) -> Run | None:
    """The run of this key that has its model; runs of this key that were cut off are marked as killed."""
    finished = None
    for run in runs(experiment_id, key):
        if run.info.status == "FINISHED":
            finished = finished or run
        elif run.info.status == "RUNNING":
            client().set_terminated(run.info.run_id, "KILLED")
    return finished


def begun(name: str, key: str) -> tuple[str, Run | None]:
    """The experiment of a run, and the run of this key if it has finished.

    Raises:
        RunError: the experiment is deleted.
    """
    experiment_id = experiment(name)
    return experiment_id, finished_run(experiment_id, key)


def model_id(run: Run) -> str:
    """The model that a run logged; of several, the one that is whole.

    Raises:
        RunError: it logged none.
    """
    outputs = run.outputs.model_outputs if run.outputs else []
    found = [client().get_logged_model(each.model_id) for each in outputs]
    whole = [each for each in found if each.status == "READY"]
    if not whole:
        raise RunError(f"the MLflow run {run.info.run_id} has no model; delete it, then run this again")
    return str(max(whole, key=lambda model: model.creation_timestamp).model_id)


def model_location(run: Run) -> str:
    """The URI of the files of the model that a run logged.

    Raises:
        RunError: it logged none.
    """
    return str(client().get_logged_model(model_id(run)).artifact_location)


def version(model: str, alias: str) -> ModelVersion | None:
    """The version of the registered model that has the alias, if any."""
    from mlflow.exceptions import MlflowException

    try:
        aliases = client().get_registered_model(model).aliases
    except MlflowException as absent:
        if absent.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return client().get_model_version(model, str(aliases[alias])) if alias in aliases else None


def run_of(version: ModelVersion) -> Run | None:
    """The run that made the version's model, if it is still there."""
    from mlflow.exceptions import MlflowException

    try:
        return client().get_run(str(version.run_id))
    except MlflowException as absent:
        if absent.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
