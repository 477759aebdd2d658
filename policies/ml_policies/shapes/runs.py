"""Runs, whoever starts them: what a CronJob starts is judged as the Job that it is."""

from collections.abc import Mapping
from typing import Any

from ml_policies.engine.resource import Resource

JOBS = ("Job", "CronJob")
FIRST_GENERATION = ("JAXJob", "MPIJob", "PaddleJob", "PyTorchJob", "TFJob", "XGBoostJob")
"""The kinds of the training operator: all say in one way how they end."""
HOLDERS = {
    "CronJob": "jobTemplate.spec",
    "ScheduledSparkApplication": "template",
    **dict.fromkeys(FIRST_GENERATION, "runPolicy"),
}
"""Where the fields of a run are in the specification, if they are not in it itself."""


def spec_of(run: Resource) -> Mapping[str, Any]:
    """What says how the run goes: its specification, or the part that is about that."""
    found: Mapping[str, Any] = run.spec
    for step in HOLDERS.get(run.kind, "").split("."):
        found = (found.get(step) or {}) if step else found
    return found


def path_of(run: Resource, field: str) -> str:
    """Where a field of it is written."""
    return ".".join(filter(None, (HOLDERS.get(run.kind), field)))
