"""More versions of a registered model than its gate has accepted, for tests of who serves which, and who is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ml_local import environment
from ml_local.node.layout import layout
from ml_runtime import download
from ml_runtime.tracking import FILES_DIGEST
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

BROKEN = "flavors:\n  python_function:\n    loader_module: made.up.module\n    python_version: '3.11'\n"


def tracking() -> MlflowClient:
    return MlflowClient(environment.variables(layout())["MLFLOW_TRACKING_URI"])


def champion(model: str = "iris") -> ModelVersion:
    return tracking().get_model_version_by_alias(model, "champion")


def another(model: str = "iris") -> int:
    """A new version with the same files as the champion, as judged as they are; it is not made champion."""
    of = champion(model)
    kept = str(of.source).rpartition("/")[2]
    made = tracking().create_model_version(model, str(of.source), of.run_id, tags=of.tags, model_id=kept)
    return int(made.version)


def broken(folder: Path, model: str = "iris") -> int:
    """A new version that nothing can load, and whose files are those that its gate is said to have accepted."""
    return _of_files(folder, model, download.digest({"MLmodel": hashlib.sha256(BROKEN.encode()).hexdigest()}))


def replaced(folder: Path, model: str = "iris") -> int:
    """A new version that the gate is said to have accepted with the champion's files, and that has others."""
    return _of_files(folder, model, champion(model).tags[FILES_DIGEST])


def _of_files(folder: Path, model: str, accepted: str) -> int:
    (folder / "MLmodel").write_text(BROKEN)
    run = tracking().get_run(str(champion(model).run_id))
    tracking().log_artifact(run.info.run_id, str(folder / "MLmodel"), "broken")
    place, tags = f"{run.info.artifact_uri}/broken", {FILES_DIGEST: accepted}
    return int(tracking().create_model_version(model, place, run.info.run_id, tags=tags).version)
