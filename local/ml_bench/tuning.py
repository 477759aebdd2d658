"""What Ray costs a tuning: its trials side by side, and the same ones after each other in one process without Ray.

The second is a Job beside the tuning's own, of the same pod with another program; both log all of it to MLflow. What
starting takes is no part of it: the first trial of each process, in which it loads its libraries, is left out.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ml_local import environment
from ml_local.errors import LocalError
from ml_local.node import node
from ml_local.node.layout import Layout
from ml_platform.kube import Client, Object
from mlflow import MlflowClient

NAMESPACE, BLOCK = "models", "iris"
AT_ONCE = 2
"""As tests/stacks/upstream.yaml has it."""
SUFFIX = "-alone"
PATIENCE = 600.0
PROGRAM = Path(__file__).with_name("trials_alone.py")


def tuning(layout: Layout) -> dict[str, float]:
    """Seconds a trial in the tuning that the stack has run, in the same trials alone, and how they compare."""
    client = node.client(layout)
    (job,) = client.list("batch/v1", "Job", NAMESPACE, labels=f"app={BLOCK}")
    _one_by_one(client, job)
    tracking = MlflowClient(environment.variables(layout)["MLFLOW_TRACKING_URI"])
    run = str(job["metadata"]["name"])
    in_ray, alone = _seconds(tracking, run, AT_ONCE), _seconds(tracking, run + SUFFIX, 1)
    return {"in_ray_s": round(in_ray, 2), "alone_s": round(alone, 2), "ratio": round(in_ray / alone, 2)}


def _one_by_one(client: Client, job: Object) -> None:
    """Run the same trials in a Job without Ray, to its end."""
    name = job["metadata"]["name"] + SUFFIX
    pod = dict(job["spec"]["template"]["spec"])
    (tune,) = pod["containers"]
    threads = {"name": "OMP_NUM_THREADS", "value": "1"}
    pod["containers"] = [
        {**tune, "command": ["python", "-c", PROGRAM.read_text()], "args": [SUFFIX], "env": [*tune["env"], threads]}
    ]
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    meta = {"name": name, "namespace": NAMESPACE, "labels": {"app": name}}
    item = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {"backoffLimit": 0, "template": template},
    }
    client.create(item, field_manager="bench")
    try:
        _await(client, name)
    finally:
        client.delete("batch/v1", "Job", name, NAMESPACE)


def _await(client: Client, name: str) -> None:
    end = time.monotonic() + PATIENCE
    while not (status := client.get("batch/v1", "Job", name, NAMESPACE).get("status", {})).get("succeeded"):
        if status.get("failed") or time.monotonic() > end:
            raise LocalError(f"the Job {NAMESPACE}/{name} of the bench did not succeed: {status}")
        time.sleep(1)


def _seconds(tracking: MlflowClient, run: str, processes: int) -> float:
    """Of a trial, on average, from when each process has done its first."""
    experiment = tracking.get_experiment_by_name(BLOCK)
    folders = [experiment.experiment_id] if experiment else []
    of_key: list[Any] = tracking.search_runs(folders, f"tags.`ml-platform.run` = '{run}'")
    below = [f"tags.`mlflow.parentRunId` = '{each.info.run_id}'" for each in of_key]
    trials: list[Any] = [each for query in below for each in tracking.search_runs(folders, query, max_results=1000)]
    ends = sorted(each.info.end_time for each in trials)
    if len(ends) <= processes:
        raise LocalError(f"MLflow has {len(ends)} trials of the run {run}, too few to compare")
    return float(ends[-1] - ends[processes - 1]) / 1000 / (len(ends) - processes)
