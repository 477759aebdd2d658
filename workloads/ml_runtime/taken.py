"""What a model takes and answers, as the run that made it keeps it in MLflow: columns, target, task, classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_runtime import download, tracking
from ml_runtime.data_spec import Task
from ml_runtime.errors import RunError
from ml_runtime.schema import Schema

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True, kw_only=True)
class Taken:
    """By one model."""

    schema: Schema
    """Of its data, the target included."""
    target: str
    task: Task

    @property
    def features(self) -> Schema:
        return self.schema.without(self.target)

    @property
    def classes(self) -> tuple[str, ...]:
        """Those of the data, by name; of a regression none."""
        found = self.schema.column(self.target).categories or ()
        return () if self.task is Task.REGRESSION else tuple(sorted(found))


def of(run: Run, patience: float) -> Taken:
    """That of the model of a run.

    Raises:
        RunError: no run of the platform's has made it.
    """
    tags = run.data.tags
    if missing := [tag for tag in (tracking.TEST_DIGEST, tracking.TARGET, tracking.TASK) if tag not in tags]:
        raise RunError(
            f"the MLflow run {run.info.run_id} has no tag {missing[0]}: no run of `runs` has made it; name one that has"
        )
    content = download.read(f"{run.info.artifact_uri}/{tracking.SCHEMA}", patience)
    return Taken(schema=Schema.from_json(content), target=tags[tracking.TARGET], task=Task(tags[tracking.TASK]))
