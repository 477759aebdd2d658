"""A search by Ray on a table that Spark leaves, on a platform of which only its handle is there."""

from __future__ import annotations

from typing import Any

from support import etl, recorder, work

RAY_JOB = "kubernetes:ray.io/v1:RayJob"
SEARCH: dict[str, Any] = {"operator": "ray", "data": "clean.table", "model": "iris"}


def settings(**changes: Any) -> dict[str, Any]:
    """The search, changed."""
    return {**etl.WORK, "runs": {"clean": etl.CLEAN, "iris": {**SEARCH, **changes}}}


def declare(**changes: Any) -> recorder.Recorder:
    return work.declare(settings(**changes))


def ray_job(**changes: Any) -> dict[str, Any]:
    """The object that KubeRay is to run."""
    return declare(runner="ray-job", **changes).inputs(RAY_JOB, "iris")
