"""A cloud by two stacks: what the one takes of the other, what is refused, and that one stack does as much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_platform.clusters.cluster import Cluster
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import ClusterSettings
from ml_workloads import capabilities
from ml_workloads.settings import WorkloadsSettings
from support import chosen, clouds, recorder, stacks
from support.other_cluster import OTHER, STORE, exports, stand_on

WORKERS = (("models", "data-raw"), ("models", "run-iris"))
OPEN = {
    "acme-raw": {"account": "workloads", "used_by": list(map("/".join, WORKERS))},
    "acme-old": {"account": "mlflow"},
}
IDENTITY = {"bucket_access": "identity"}


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


@pytest.mark.mirror
@pytest.mark.parametrize("cloud", stacks.CLOUDS)
def test_two_stacks_declare_together_what_one_stack_does(cloud: str, logged_in: None) -> None:
    one, cluster, platform = (
        resources(stacks.record(stack, world=clouds.Cloud(), config=config))
        for stack, config in ((cloud, stacks.whole(cloud)), (f"{cloud}-cluster", None), (cloud, None))
    )
    assert cluster & platform == {("pulumi:pulumi:Stack", "stack")}
    assert cluster | platform == one


@pytest.mark.mirror
@pytest.mark.parametrize("cloud", stacks.CLOUDS)
def test_the_first_preview_of_an_empty_account_shows_all_of_one_stack(cloud: str, logged_in: None) -> None:
    preview = stacks.record(cloud, config=stacks.whole(cloud))
    assert resources(preview) == resources(stacks.record(cloud, world=clouds.Cloud(), config=stacks.whole(cloud)))


def resources(found: recorder.Recorder) -> set[tuple[str, str]]:
    known = {(each.type, each.name) for each in found.requests.values()}
    return {(kind, "stack" if kind == "pulumi:pulumi:Stack" else name) for kind, name in known}


def asked(cluster: Cluster) -> dict[str, Any]:
    """All that a platform may ask of its cluster."""
    assert cluster.object_storage
    assert cluster.registry_login
    balancer = cluster.load_balancer
    access = {name: cluster.object_storage.access(name, (bucket,)) for name, bucket in clouds.ACCOUNTS.items()}
    return {
        "storage_class": cluster.storage_class,
        "load_balancer": {"annotations": balancer.annotated({"own": "1"}), "spec": balancer.spec()},
        "endpoint": access["mlflow"].endpoint,
        "checksums": access["mlflow"].checksums,
        "ids": {name: each.access_key for name, each in access.items()},
        "secrets": [each.secret_key for each in access.values()],
        "users": access["workloads"].users,
        "login": cluster.registry_login(),
    }


def test_the_platform_has_all_that_the_other_stack_has_made() -> None:
    found = stand_on(exports("gke"), asks=asked)
    assert found.exports == {
        "kubeconfig": "very secret",
        "storage_class": "fast",
        "load_balancer": {
            "annotations": {"own": "1", "balancer": "nlb"},
            "spec": {"type": "LoadBalancer", "loadBalancerIP": "192.0.2.9"},
        },
        "endpoint": "https://s3.test",
        "checksums": "when_supported",
        "ids": {"mlflow": "M", "workloads": "W"},
        "secrets": ["very secret"] * 2,
        "users": None,
        "login": "very secret",
    }
    assert found.secrets == {"kubeconfig", "secrets", "login"}


def test_where_buckets_know_pods_there_is_no_key_and_the_platforms_teams_are_told_for_whom_they_are_open() -> None:
    found = stand_on(exports("eks", buckets=OPEN), cluster=IDENTITY, workers=WORKERS, asks=asked)
    assert (found.exports["ids"], found.exports["secrets"]) == ({"mlflow": None, "workloads": None}, [None, None])
    assert found.exports["users"] == {"acme-raw": ["models/data-raw", "models/run-iris"]}


@pytest.mark.parametrize("name", ["bucket_secret_mlflow", "registry_login"])
def test_a_secret_that_the_platform_does_not_ask_for_need_not_be_there(name: str) -> None:
    without = {key: value for key, value in exports("gke").items() if key != name}
    assert stand_on(without).exports == {"kubeconfig": "very secret"}
    with pytest.raises(SettingsError, match=f"that stack has no output '{name}'"):
        stand_on(without, asks=asked)


def test_a_storage_class_of_the_settings_wins() -> None:
    assert stand_on(exports("gke"), cluster={"storage_class": "mine"}, asks=asked).exports["storage_class"] == "mine"


def test_a_stack_that_did_not_make_its_cluster_has_its_kubeconfig_and_no_buckets() -> None:
    given = {"kubeconfig": "very secret"}
    assert stand_on(given, platform={"object_store": {}}).exports == given
    with pytest.raises(SettingsError, match=f"object_store.source is 'cluster', and stack {OTHER} has made no cluster"):
        stand_on(given)


MISFITS: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("gke", {}, {"cluster": IDENTITY}, [
        "ml-platform:cluster.bucket_access is 'identity', and the buckets of stack acme/ml-platform/cloud know pods by "
        "key",
        "pulumi config set --path 'ml-platform:cluster.bucket_access' key"]),
    ("gke", {}, {"platform": {"object_store": {**STORE, "artifacts": "acme-new"}}}, [
        "object_store.artifacts is 'acme-new'", "of stack acme/ml-platform/cloud: acme-old, acme-raw"]),
    ("gke", {"buckets": {"acme-raw": {}, "acme-old": {"account": "mlflow"}}}, {}, [
        "object_store.buckets[0] is 'acme-raw', and ml-platform:cluster.buckets.acme-raw.account of stack",
        "--stack acme/ml-platform/cloud --path 'ml-platform:cluster.buckets.acme-raw.account' workloads"]),
    ("ionos", {"object_storage": {}}, {}, [
        "cluster.object_storage.key_owner of stack acme/ml-platform/cloud is missing",
        "pulumi config set --stack acme/ml-platform/cloud --path 'ml-platform:cluster.object_storage.key_owner'"]),
    ("eks", {"buckets": OPEN}, {"cluster": IDENTITY, "workers": [*WORKERS, ("models", "run-b")]}, [
        "names acme-raw, which ml-platform:cluster of stack acme/ml-platform/cloud does not open for service account "
        "models/run-b",
        "--stack acme/ml-platform/cloud --path 'ml-platform:cluster.buckets.acme-raw.used_by[2]' models/run-b"]),
    ("eks", {"buckets": OPEN}, {"cluster": IDENTITY, "platform": {"spark": {"operator": "stackable"}}}, [
        "spark.operator is 'stackable'", "pulumi config set --path 'ml-platform:platform.spark.operator' kubeflow"]),
    ("gke", {}, {"pools": {"big": {}}}, ["cluster.pools.big is none of the pools", "has: general, gpu, spot"]),
    ("gke", {}, {"pools": {"gpu": {"nodeSelector": {"ml-platform/pool": "gpu"}}}}, ["Give it the labels and taints"]),
    ("gke", {"version": "1.33"}, {}, ["and the cluster of stack acme/ml-platform/cloud has 1.33"]),
]  # fmt: skip


@pytest.mark.parametrize(("cloud", "theirs", "mine", "words"), MISFITS)
def test_what_the_two_stacks_say_otherwise_is_refused_with_the_way_out(
    cloud: str, theirs: dict[str, Any], mine: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        stand_on(exports(cloud, **theirs), **mine)
    assert [word for word in words if word not in str(refused.value)] == []


def test_a_zone_that_the_clusters_stack_opens_for_nobody_is_refused() -> None:
    acme = {"email": "a@example.com", "dns01": {"provider": "route53", "region": "eu-central-1"}}
    gateway = {"domain": "ml.example.com", "access": ["10.0.0.0/8"], "tls": {"issuer": "acme", "acme": acme}}
    platform = {"certificates": "cert-manager", "gateway": gateway}
    arguments: dict[str, Any] = {"cluster": IDENTITY, "platform": platform, "workers": WORKERS}
    stand_on(exports("eks", buckets=OPEN), **arguments)
    with pytest.raises(SettingsError, match=r"dns_zones is empty(.|\n)*--stack acme/ml-platform/cloud --path"):
        stand_on(exports("eks", buckets=OPEN, dns_zones=[]), **arguments)


def test_outputs_of_another_version_of_the_program_are_told_as_such() -> None:
    found = exports("gke")
    del found["cluster"]["pools"]
    with pytest.raises(SettingsError, match=r"another version of this program(.|\n)*pulumi up --stack acme"):
        stand_on(found)


WORK = {"data": {"iris": {"uri": "sklearn:iris"}}}


@pytest.mark.parametrize(
    ("source", "work", "says"),
    [
        ("gke", WORK, "ml-platform:workloads has work, and there is no ml-platform:platform"),
        ("existing", {}, "ml-platform:platform is missing, and a cluster of source existing is made by others"),
        ("stack", {}, "a cluster of source stack is made by others"),
        ("local", {}, "a cluster of source local is made by others"),
    ],
)
def test_a_stack_without_a_platform_is_a_cluster_that_it_makes_and_no_more(
    source: str, work: dict[str, Any], says: str
) -> None:
    blocks = {"gke": {**clouds.COMMON, **clouds.SETTINGS["gke"]}, "stack": {"source": "stack", "stack": OTHER}}
    cluster = validate("cluster", blocks.get(source, {"source": source}), ClusterSettings).root
    settings = validate("workloads", work, WorkloadsSettings)
    with pytest.raises(SettingsError) as refused:
        capabilities.check_blocks(cluster, None, settings)
    assert says in str(refused.value)
    assert "pulumi config set --path 'ml-platform:platform.size' standard" in str(refused.value)
    capabilities.check_blocks(cluster, chosen.platform(), settings)
