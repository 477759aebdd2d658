"""The chain from raw rows to a served model on the real node: its work changed, its runs watched while they go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_local import paths
from support import machine, store
from support.node_stack import NodeStack
from support.until import while_running

CONFIG = paths.checkout() / "tests" / "stacks" / "upstream.yaml"
SPARK, BUCKET = "spark-jobs", "datasets"


def up(stack: NodeStack, folder: Path, **blocks: Any) -> machine.Done:
    """`pulumi up` with more blocks of workloads, or with other values in those there are."""
    return machine.up(machine.settings("workloads", blocks, folder, base=stack.config), timeout=900)


def start(stack: NodeStack, folder: Path, **blocks: Any) -> subprocess.Popen[str]:
    """The same, going on while the test does."""
    return machine.start_up(machine.settings("workloads", blocks, folder, base=stack.config))


def ended_well(process: subprocess.Popen[str]) -> str:
    """What it said."""
    output, _ = process.communicate(timeout=900)
    assert process.returncode == 0, output
    return output


def killed_and_run_again(stack: NodeStack, folder: Path, moment: Callable[[], Any], **blocks: Any) -> machine.Done:
    """`pulumi up` dies at the moment; `make up` goes on from there."""
    process = start(stack, folder, **blocks)
    while_running(process, moment, "the moment to be killed has not come")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    return machine.make("up", f"CONFIG={machine.settings('workloads', blocks, folder, base=CONFIG)}")


def table(block: str) -> str:
    """The prefix of what a run of Spark has left in the bucket of the data."""
    found = machine.client().list("sparkoperator.k8s.io/v1beta2", "SparkApplication", SPARK, labels=f"app={block}")
    (name,) = (str(each["metadata"]["name"]) for each in found)
    return f"tables/local/{block}/{name}/"


def report(block: str) -> dict[str, Any]:
    """What lies beside it."""
    key = f"{table(block)}_report.json"
    return dict(json.loads(store.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()))


def running(namespace: str, **labels: str) -> dict[str, Any] | None:
    """A running pod with these labels."""
    selector = ",".join(f"{name.replace('_', '-')}={value}" for name, value in labels.items())
    found = machine.client().list("v1", "Pod", namespace, labels=selector)
    return next((pod for pod in found if pod.get("status", {}).get("phase") == "Running"), None)
