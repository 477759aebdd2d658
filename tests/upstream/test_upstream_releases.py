"""Knative, KServe and Kubeflow's operators as released, on the real node: they do their work and leave nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.bundles import catalog
from ml_platform.kube import Client, KubeError
from support import batch, machine
from support.node_stack import NodeStack, assert_leaves_nothing, assert_settled, assert_undisturbed

NAMESPACE, SPARK = "test-jobs", "spark-jobs"
RELEASED = ("knative-serving", "kserve", "spark-operator", "kuberay", "jobset", "trainer", "training-operator")
META = {"name": "refused", "namespace": NAMESPACE}


@pytest.fixture(scope="module")
def client(stack: NodeStack) -> Iterator[Client]:
    """The node's, with a namespace for jobs under the restricted standard."""
    client = machine.client()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    client.apply(space, field_manager=batch.MANAGER)
    yield client
    client.delete("v1", "Namespace", NAMESPACE)


@pytest.fixture(scope="module")
def training(stack: NodeStack) -> str:
    return machine.images()["training"]


def run(client: Client, item: dict[str, Any]) -> str:
    client.create(item, field_manager=batch.MANAGER)
    return batch.finished(client, item)


@pytest.mark.parametrize("name", RELEASED)
def test_what_runs_is_the_release_and_not_our_lean_words(name: str, client: Client) -> None:
    entry = catalog.entry(name)
    assert not entry.version.endswith("-lean")
    deployments = client.list("apps/v1", "Deployment", entry.namespace)
    assert deployments
    assert [each["metadata"]["name"] for each in deployments if not each["status"].get("availableReplicas")] == []


def test_a_spark_application_completes(client: Client) -> None:
    code = (
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "print('sum', spark.range(1000).selectExpr('sum(id)').first()[0])\n"
    )
    script, application = batch.spark_application("sum", SPARK, machine.images()["spark"], code)
    client.create(script, field_manager=batch.MANAGER)
    try:
        assert run(client, application) == "COMPLETED", batch.log(client, SPARK, "sparkoperator.k8s.io/app-name=sum")
        assert "sum 499500" in batch.log(client, SPARK, "sparkoperator.k8s.io/app-name=sum,spark-role=driver")
    finally:
        for item in (application, script):
            client.delete(item["apiVersion"], item["kind"], "sum", SPARK)


def test_a_job_set_completes_when_all_its_jobs_have(client: Client, training: str) -> None:
    template = batch.script(training, "import os; print('index', os.environ['JOB_COMPLETION_INDEX'])")
    assert run(client, batch.job_set("pair", NAMESPACE, template)) == "Completed"
    assert batch.log(client, NAMESPACE, "jobset.sigs.k8s.io/jobset-name=pair").count("index 0") == 2


def test_a_train_job_runs_its_runtime_on_as_many_nodes_as_it_asks_for(client: Client, training: str) -> None:
    code = "import os; print(os.environ['PET_NODE_RANK'], 'of', os.environ['PET_NNODES'])"
    runtime = batch.runtime("test-runtime", batch.script(training, code))
    client.create(runtime, field_manager=batch.MANAGER)
    try:
        ended = run(client, batch.train_job("ranks", NAMESPACE, "test-runtime", nodes=2))
        said = batch.log(client, NAMESPACE, "jobset.sigs.k8s.io/jobset-name=ranks")
        assert ended == "Complete", said
        assert set(said.split("\n")) >= {"0 of 2", "1 of 2"}
    finally:
        client.delete("trainer.kubeflow.org/v1alpha1", "TrainJob", "ranks", NAMESPACE)
        client.delete(runtime["apiVersion"], runtime["kind"], "test-runtime")


def test_a_pytorch_job_of_the_first_generation_succeeds(client: Client, training: str) -> None:
    code = "import os; print('rank', os.environ['RANK'], 'of', os.environ['WORLD_SIZE'])"
    template = batch.script(training, code, name="pytorch")
    assert run(client, batch.pytorch_job("alone", NAMESPACE, template)) == "Succeeded"
    assert "rank 0 of 1" in batch.log(client, NAMESPACE, "training.kubeflow.org/job-name=alone")


@pytest.mark.parametrize(
    ("webhook", "api_version", "kind", "spec"),
    [
        (
            "validation.webhook.serving.knative.dev",
            "serving.knative.dev/v1",
            "Service",
            {"template": {"spec": {"containers": [{"image": "not an image"}]}}},
        ),
        (
            "inferenceservice.kserve-webhook-server.validator",
            "serving.kserve.io/v1beta1",
            "InferenceService",
            {"predictor": {"minReplicas": 3, "maxReplicas": 2, "containers": [{"name": "a", "image": "b"}]}},
        ),
        (
            "validate-jobset-x-k8s-io-v1alpha2-jobset.x-k8s.io",
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            {"successPolicy": {"operator": "All", "targetReplicatedJobs": ["absent"]}},
        ),
        (
            "validator.trainjob.trainer.kubeflow.org",
            "trainer.kubeflow.org/v1alpha1",
            "TrainJob",
            {"runtimeRef": {"name": "absent"}},
        ),
        (
            "validator.pytorchjob.training-operator.kubeflow.org",
            "kubeflow.org/v1",
            "PyTorchJob",
            {"pytorchReplicaSpecs": {"Master": {"template": {"spec": {"containers": [{"name": "other"}]}}}}},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" not in value and "." not in value else "",
)
def test_a_wrong_object_is_refused_by_the_webhook_of_its_kind(
    webhook: str, api_version: str, kind: str, spec: dict[str, Any], client: Client
) -> None:
    item = {"apiVersion": api_version, "kind": kind, "metadata": META, "spec": spec}
    with pytest.raises(KubeError, match="denied the request") as refused:
        client.create(item, field_manager=batch.MANAGER, dry_run=True)
    assert f'admission webhook "{webhook}"' in refused.value.message


def test_a_second_up_finds_nothing_to_do(stack: NodeStack) -> None:
    assert_settled(stack)


def test_what_controllers_fill_in_is_no_difference(stack: NodeStack) -> None:
    assert_undisturbed(stack)


def test_the_whole_stack_goes_and_leaves_nothing(stack: NodeStack, client: Client) -> None:
    client.delete("v1", "Namespace", NAMESPACE)
    assert_leaves_nothing(stack)
