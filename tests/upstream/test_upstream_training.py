"""A network by two workers on the real node, by Kubeflow Trainer: they learn together, and go on where one is lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import environment, paths
from ml_local.node.layout import layout
from support import chain, machine, outage, store, versions
from support.node_stack import NodeStack
from support.until import while_running

EXAMPLES = paths.checkout() / "workloads" / "examples"
TRAINER = "trainer.kubeflow.org/v1alpha1"


@pytest.fixture(scope="module")
def blocks(stack: NodeStack) -> dict[str, Any]:
    """The example, with its pictures in the object store, and its layer in the node's registry."""
    env = {**os.environ, **environment.variables(layout())}
    made = machine.run([sys.executable, "-m", "digits.data"], 300, env, EXAMPLES)
    assert made.returncode == 0, made.stdout
    return dict(yaml.safe_load((EXAMPLES / "digits" / "workers.yaml").read_text()))


@pytest.fixture(scope="module")
def trained(blocks: dict[str, Any], stack: NodeStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    config = machine.settings("workloads", blocks, tmp_path_factory.mktemp("workers"), base=chain.CONFIG)
    done = machine.make("up", f"CONFIG={config}", timeout=3600)
    assert done.returncode == 0, done.stdout
    yield
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout


def run() -> dict[str, Any]:
    """The training as Trainer has it; while one follows another, the newer one."""
    found = machine.client().list(TRAINER, "TrainJob", "models")
    return max(found, key=lambda each: str(each["metadata"]["creationTimestamp"]))


def kept() -> list[str]:
    """The checkpoints of the run that is there."""
    prefix = f"checkpoints/{run()['metadata']['name']}/"
    found = store.client().list_objects_v2(Bucket="datasets", Prefix=prefix)
    return [each["Key"].removeprefix(prefix) for each in found.get("Contents", [])]


@pytest.mark.long  # its layer is a gigabyte
def test_two_workers_leave_one_model_that_passes_its_gate(trained: None) -> None:
    pods = machine.client().list(
        "v1", "Pod", "models", labels=f"jobset.sigs.k8s.io/jobset-name={run()['metadata']['name']}"
    )
    assert len(pods) == 2
    assert machine.outputs()["model_versions"]["digits"] == versions.champion("digits").version
    metrics = versions.tracking().get_run(str(versions.champion("digits").run_id)).data.metrics
    assert metrics["test_accuracy"] >= 0.9
    assert kept() == ["000000000018", "000000000019"]


@pytest.mark.long
def test_a_worker_that_is_lost_costs_the_epochs_since_the_last_checkpoint_alone(
    trained: None, blocks: dict[str, Any], stack: NodeStack, tmp_path: Path
) -> None:
    longer = {**blocks, "runs": {"digits": {**blocks["runs"]["digits"], "parameters": {"epochs": 200, "rate": 0.003}}}}
    before = run()["metadata"]["name"]
    process = chain.start(stack, tmp_path, **longer)
    while_running(process, lambda: run()["metadata"]["name"] != before and len(kept()) == 2, "nothing is kept")
    reached = kept()[-1]
    outage.kill_pod(chain.running("models", **{"jobset.sigs.k8s.io/jobset-name": run()["metadata"]["name"]}))
    chain.ended_well(process)
    name = run()["metadata"]["name"]
    assert kept()[-1] == "000000000199"
    assert reached < kept()[0]
    job_set = machine.client().get("jobset.x-k8s.io/v1alpha2", "JobSet", name, "models")
    assert job_set["status"]["restarts"] == 1
