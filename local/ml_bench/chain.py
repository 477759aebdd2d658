"""From raw rows to an answer of the model that was made of them: how long it takes, and each step's share of it.

The steps are those of tests/stacks/upstream.yaml. When each has ended is read from its object in the cluster, to the
second; what Pulumi and the scheduler need between two steps belongs to the later one, so the shares are the whole.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from ml_local.errors import LocalError
from ml_local.node import node
from ml_local.node.layout import Layout
from ml_local.predict import Model, wait_for_answers
from ml_platform.kube import Client, Object

JOBS = "models"
DATA, TABLE, RUN = "raw", "clean", "iris"
"""The data, the run of Spark that makes a table of them, and the run that learns from it."""


def shares(layout: Layout, models: Sequence[Model], begun: float) -> dict[str, float]:
    """Seconds of each step since `begun` and of all, to the first answer. `pulumi up` has ended."""
    wait_for_answers(models, lambda _: None)
    answered = time.time()
    client = node.client(layout)
    ends = {
        "data": _end_of_job(client, f"data-{DATA}"),
        "table": _end_of_table(client),
        "learning": _end_of_job(client, RUN),
        "gate": _end_of_job(client, f"{RUN}-gate"),
        "serving": answered,
    }
    times = pairwise([begun, *ends.values()])
    taken = {f"{name}_s": round(after - before, 1) for name, (before, after) in zip(ends, times, strict=True)}
    return {**taken, "total_s": round(answered - begun, 1)}


def _end_of_job(client: Client, app: str) -> float:
    jobs = client.list("batch/v1", "Job", JOBS, labels=f"app={app}")
    return _time(f"Job {app}", [job["status"].get("completionTime") for job in jobs])


def _end_of_table(client: Client) -> float:
    runs = client.list("sparkoperator.k8s.io/v1beta2", "SparkApplication")
    return _time("SparkApplication", [run["status"].get("terminationTime") for run in runs if _makes_table(run)])


def _makes_table(run: Object) -> bool:
    return str(run["metadata"]["name"]).rpartition("-")[0] == TABLE


def _time(what: str, ends: list[str | None]) -> float:
    if len(ends) != 1 or ends[0] is None:
        raise LocalError(f"the steps of tests/stacks/upstream.yaml have one {what} that has ended; there are {ends}")
    return datetime.fromisoformat(ends[0]).timestamp()
