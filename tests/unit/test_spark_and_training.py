"""The operators of jobs in a tree: where their jobs are, and what waits for what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import recorder, stacks

pytestmark = pytest.mark.mirror


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> recorder.Recorder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path_factory.mktemp("node"))))
        return stacks.record("upstream")


def spark(tree: recorder.Recorder) -> list[dict[str, Any]]:
    found = [request for request in tree.requests.values() if request.parent.endswith("Bundle::spark-operator")]
    return [recorder.inputs(request) for request in found if request.type.startswith("kubernetes:")]


def test_no_object_of_the_spark_operator_is_about_the_namespace_default(tree: recorder.Recorder) -> None:
    objects = spark(tree)
    assert len(objects) > 20
    assert '"default"' not in json.dumps(objects)
    assert "namespaces=default" not in json.dumps(objects)


def test_jobs_have_their_account_and_their_rights_in_their_namespace(tree: recorder.Recorder) -> None:
    there = {item["kind"] for item in spark(tree) if item["metadata"].get("namespace") == "spark-jobs"}
    assert there == {"Role", "RoleBinding", "ServiceAccount"}
    assert (
        tree.inputs("kubernetes:core/v1:Namespace", "spark-jobs")["metadata"]["labels"]["ml-platform/workloads"]
        == "true"
    )


def test_the_namespace_of_jobs_has_walls(tree: recorder.Recorder) -> None:
    quota = tree.inputs("kubernetes:core/v1:ResourceQuota", "spark-jobs-quota")
    assert quota["spec"]["hard"] == {"limits.cpu": "16", "limits.memory": "16Gi", "pods": "50"}
    (peers,) = tree.inputs("kubernetes:networking.k8s.io/v1:NetworkPolicy", "spark-jobs-entry")["spec"]["ingress"]
    assert peers == {"from": [{"podSelector": {}}]}


def test_the_operator_watches_the_namespace_of_jobs(tree: recorder.Recorder) -> None:
    deployments = [item for item in spark(tree) if item["kind"] == "Deployment"]
    assert len(deployments) == 2
    for item in deployments:
        (container,) = item["spec"]["template"]["spec"]["containers"]
        assert "--namespaces=spark-jobs" in container["args"]


def test_its_webhooks_ask_for_objects_of_that_namespace_only(tree: recorder.Recorder) -> None:
    configurations = [item for item in spark(tree) if item["kind"].endswith("WebhookConfiguration")]
    for webhook in (each for item in configurations for each in item["webhooks"]):
        (term,) = webhook["namespaceSelector"]["matchExpressions"]
        assert term["values"] == ["spark-jobs"], webhook["name"]


def test_trainer_comes_after_the_kinds_of_jobset_and_has_no_copy_of_them(tree: recorder.Recorder) -> None:
    deployments = {request.name for request in tree.requests.values() if request.type.endswith(":Deployment")}
    assert {"jobset-jobset-controller", "trainer-kubeflow-trainer-controller-manager"} <= deployments
    assert not [name for name in deployments if name.startswith("trainer-jobset")]


@pytest.mark.parametrize(
    ("registry", "asked"), [(None, {}), ("mirror.test/all", {"repo": "mirror.test/all/oci.stackable.tech/sdp"})]
)
def test_a_registry_has_the_spark_that_only_stackables_operator_names(
    registry: str | None, asked: dict[str, str]
) -> None:
    mirrored = stacks.record("everything", {"bundles": {"registry": registry}})
    application = mirrored.inputs("kubernetes:spark.stackable.tech/v1alpha1:SparkApplication", "clean")
    assert application["spec"]["sparkImage"] == {"productVersion": "4.1.1", **asked}
