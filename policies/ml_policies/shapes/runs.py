"""Runs, whoever starts them: what a CronJob starts is judged as the Job that it is."""

from collections.abc import Mapping
from typing import Any

from ml_policies.engine.resource import Resource

JOBS = ("Job", "CronJob")


def spec_of(run: Resource) -> Mapping[str, Any]:
    """The specification of the run; of a CronJob, that of the Jobs that it makes."""
    found: Mapping[str, Any] = run.spec
    return (found.get("jobTemplate") or {}).get("spec") or {} if run.kind == "CronJob" else found


def path_of(run: Resource, field: str) -> str:
    """Where a field of it is written."""
    return f"jobTemplate.spec.{field}" if run.kind == "CronJob" else field
