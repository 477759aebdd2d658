"""A model that may become champion, as a gate sees it, whoever has made it: a training or a tuning."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What a run leaves in MLflow: a model, and the rows that it was not trained on."""

    run: str
    """Key of the run: known from the start, and as long as it is the same, so is the candidate."""
    id: pulumi.Output[str]
    """Of the MLflow run; resolves when it has ended, unknown in the preview of a new one."""
    columns: tuple[str, ...]
    """Of those rows."""
