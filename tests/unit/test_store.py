"""The object store: which one there is, who uses its buckets by what, and which choices are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_platform import agreement, store
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import AnyCluster, ClusterSettings, PlatformSettings
from support import chosen, clouds, recorder, stacks

GIVEN = {"source": "given", "endpoint": "https://s3.example.com", "region": "eu-1", "access_key": "ML"}
OWN_BUCKETS = {"source": "cluster", "artifacts": "acme-old", "buckets": ["acme-raw"]}


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    stacks.log_in(monkeypatch, tmp_path)


def cluster(source: str, **changes: Any) -> AnyCluster:
    return validate("cluster", {**clouds.COMMON, **clouds.SETTINGS[source], **changes}, ClusterSettings).root


def platform(**blocks: Any) -> PlatformSettings:
    return chosen.platform(**{"object_store": OWN_BUCKETS, **blocks})


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"source": "minio"}, "source", "should be 'own', 'cluster' or 'given'"),
        ({"buckets": ["mlflow"]}, "buckets", "belongs to MLflow alone"),
        ({"artifacts": "datasets"}, "buckets", "bucket datasets belongs to MLflow alone"),
        ({"buckets": ["Raw_Data"]}, "buckets[0]", "should match pattern"),
        ({"source": "cluster", "storage": "5Gi"}, "storage", "it is of source: own alone"),
        ({"source": "cluster", "password_version": 2}, "password_version", "it is of source: own alone"),
        ({"source": "given"}, "endpoint", "source: given needs it"),
        ({**GIVEN, "access_key": None}, "access_key", "source: given needs it"),
        ({**GIVEN, "endpoint": "s3.example.com"}, "endpoint", "should match pattern"),
        ({"endpoint": "https://s3.example.com"}, "endpoint", "it is of source: given alone"),
        ({"source": "cluster", "region": "eu-1"}, "region", "it is of source: given alone"),
    ],
)
def test_what_does_not_fit_its_source_is_refused(changes: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("platform", {"object_store": changes}, PlatformSettings)
    assert f"ml-platform:platform.object_store.{path}" in str(refused.value)
    assert rule in str(refused.value)


@pytest.mark.parametrize(
    ("source", "of_cluster", "of_platform", "said"),
    [
        ("gke", {"buckets": {}}, {}, r"object_store.artifacts is 'acme-old', .* makes: there are none"),
        (
            "eks",
            {"buckets": {"acme-old": {"account": "mlflow"}}},
            {},
            r"object_store.buckets\[0\] is 'acme-raw', .* makes: acme-old",
        ),
        (
            "gke",
            {"buckets": {"acme-old": {"account": "mlflow"}, "acme-raw": {"account": "mlflow"}}},
            {},
            r"acme-raw.account is mlflow: (.|\n)*config set --path 'ml-platform:cluster.buckets.acme-raw.account' work",
        ),
        ("ionos", {"object_storage": {}}, {}, r"cluster.object_storage.key_owner is missing(.|\n)*config set --path"),
        ("eks", {}, {"spark": {"operator": "stackable"}}, "spark.operator is 'stackable'"),
        (
            "eks",
            {},
            {},
            r"does not open for service account models/run-iris(.|\n)*used_by\[2\]' models/run-iris",
        ),
        (
            "eks",
            {},
            {"spark": {"operator": "kubeflow", "namespace": "etl"}},
            r"for service account models/run-iris, etl/spark-operator-spark",
        ),
    ],
)
def test_buckets_that_the_cluster_can_not_open_are_refused_before_it_is_made(
    source: str, of_cluster: dict[str, Any], of_platform: dict[str, Any], said: str
) -> None:
    workers = [("models", "run-iris")]
    with pytest.raises(SettingsError, match=said):
        agreement.check(cluster(source, **of_cluster), platform(**of_platform), workers)


def test_a_cluster_without_a_cloud_has_no_buckets() -> None:
    with pytest.raises(SettingsError, match=r"object_store.source is 'cluster', and this cluster has no buckets"):
        stacks.record("local", {"object_store": {**OWN_BUCKETS, "buckets": ["datasets"]}})


def test_each_account_has_its_own_buckets() -> None:
    assert store.accounts(platform()) == {"mlflow": ("acme-old",), "workloads": ("acme-raw",)}


@pytest.mark.parametrize("source", clouds.CLOUDS)
def test_a_platform_with_a_store_of_its_own_needs_no_bucket_of_the_cluster(source: str) -> None:
    agreement.check(cluster(source, buckets={}), platform(object_store={}), [("models", "data-raw")])


@pytest.mark.mirror
@pytest.mark.parametrize("stack", ["eks", "gke", "ionos"])
def test_in_a_cloud_no_server_of_ours_runs_and_every_client_has_what_lets_it_in(stack: str) -> None:
    found = stacks.record(stack, world=clouds.Cloud(), config=stacks.whole(stack))
    assert not [each.name for each in found.requests.values() if "ObjectStore" in each.type]
    assert "storage" not in found.exports["platform"]["namespaces"]
    identities = {
        (inputs["namespace"], inputs["serviceAccount"])
        for each in found.requests.values()
        if each.type.endswith(":PodIdentityAssociation")
        for inputs in [recorder.inputs(each)]
    }
    clients = list(_clients(found))
    assert {name for _, name, _ in clients} == {"mlflow", "run-iris"}
    for namespace, account, variables in clients:
        keyed = "valueFrom" in variables.get("AWS_SECRET_ACCESS_KEY", {})
        assert keyed == ("AWS_ACCESS_KEY_ID" in variables) == (stack != "eks")
        assert keyed != ((namespace, account) in identities)
        when = "when_supported" if stack == "eks" else "when_required"
        assert variables["AWS_REQUEST_CHECKSUM_CALCULATION"]["value"] == when


def test_a_store_that_is_there_already_is_used_by_its_key() -> None:
    with pytest.raises(SettingsError, match="pulumi config set --secret ml-platform:object_store_key"):
        stacks.record("local", {"object_store": GIVEN})
    found = stacks.record("local", {"object_store": GIVEN}, secrets={"ml-platform:object_store_key": "very secret"})
    assert found.exports["object_store_endpoint"] == "https://s3.example.com"
    for _, _, variables in _clients(found):
        assert variables["AWS_ACCESS_KEY_ID"]["value"] == "ML"
        assert variables["AWS_DEFAULT_REGION"]["value"] == "eu-1"


def _clients(found: recorder.Recorder) -> Any:
    """Of all pods of ours that use the object store: namespace, service account, variables."""
    for request in found.requests.values():
        manifest = recorder.inputs(request)
        if manifest.get("kind") in ("Deployment", "Job") and "bundles:Bundle" not in request.parent:
            pod = manifest["spec"]["template"]["spec"]
            variables = {each["name"]: each for each in pod["containers"][0]["env"]}
            if {"AWS_ENDPOINT_URL_S3", "MLFLOW_S3_ENDPOINT_URL"} & set(variables):
                yield manifest["metadata"]["namespace"], pod["serviceAccountName"], variables
