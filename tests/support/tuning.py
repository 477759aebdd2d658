"""A tuning on what an ETL has left, on a platform of which only its handle is there."""

from __future__ import annotations

from typing import Any

from support import etl, recorder

JOB, RAY_JOB = "kubernetes:batch/v1:Job", "kubernetes:ray.io/v1:RayJob"
BLOCK: dict[str, Any] = {"dataset": {"etl": "iris"}, "target": "species"}


def work(**changes: Any) -> dict[str, Any]:
    """Settings of the workloads: a tuning, changed."""
    return {**etl.work(), "training": {}, "tuning": {"iris": {**BLOCK, **changes}}}


def declare(**changes: Any) -> recorder.Recorder:
    return etl.declare_work(work(**changes))


def ray_job(**changes: Any) -> dict[str, Any]:
    """The object that KubeRay is to run."""
    return declare(runner="ray-job", **changes).inputs(RAY_JOB, "iris")
