"""More versions of a registered model than training gives, for tests of who serves which."""

from __future__ import annotations

from pathlib import Path

from ml_local import environment
from ml_local.node.layout import layout
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

BROKEN = "flavors:\n  python_function:\n    loader_module: made.up.module\n    python_version: '3.11'\n"


def tracking() -> MlflowClient:
    return MlflowClient(environment.variables(layout())["MLFLOW_TRACKING_URI"])


def champion(model: str = "iris") -> ModelVersion:
    return tracking().get_model_version_by_alias(model, "champion")


def another(model: str = "iris") -> int:
    """A new version with the same files as the champion; it is not made champion."""
    of = champion(model)
    kept = str(of.source).rpartition("/")[2]
    return int(tracking().create_model_version(model, str(of.source), of.run_id, model_id=kept).version)


def broken(folder: Path, model: str = "iris") -> int:
    """A new version that nothing can load."""
    (folder / "MLmodel").write_text(BROKEN)
    run = tracking().get_run(str(champion(model).run_id))
    tracking().log_artifact(run.info.run_id, str(folder / "MLmodel"), "broken")
    return int(tracking().create_model_version(model, f"{run.info.artifact_uri}/broken", run.info.run_id).version)
