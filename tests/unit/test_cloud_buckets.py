"""Buckets in the clouds: how pods and the platform reach them, and nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import recorder, stacks
from support.clouds import ACCOUNTS, CLOUDS, USER, declare, own

BUCKETS = ("acme-raw", "acme-old")


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


def test_pods_on_gke_reach_their_buckets_by_who_they_are() -> None:
    members = {
        inputs["member"].rpartition("/subject/")[2]
        for each in own(declare("gke")[0])
        if each.type.endswith(":BucketIAMMember")
        for inputs in [recorder.inputs(each)]
        if inputs["member"].startswith("principal://iam.googleapis.com/projects/4711/locations/global/")
    }
    assert members == {"ns/models/sa/iris", "ns/models/sa/etl"}


def test_pods_on_eks_reach_their_buckets_by_who_they_are() -> None:
    found, _ = declare("eks")
    identities = [recorder.inputs(each) for each in own(found) if each.type.endswith(":PodIdentityAssociation")]
    assert {(each["namespace"], each["serviceAccount"]) for each in identities} == {
        ("cluster-autoscaler", "cluster-autoscaler"),
        ("cert-manager", "cert-manager"),
        ("models", "etl"),
        ("models", "iris"),
        ("mlflow", "mlflow"),
    }
    policy = json.loads(found.inputs("RolePolicy", "ml-platform-models.etl")["policy"])
    assert [each["Resource"] for each in policy["Statement"]] == [
        ["arn:bucket", "arn:bucket"], ["arn:bucket/*", "arn:bucket/*"], ["arn:key"],
    ]  # fmt: skip
    assert all("*" not in action for each in policy["Statement"] for action in each["Action"])


@pytest.mark.parametrize(("cloud", "noun"), [("gke", "BucketIAMMember"), ("eks", "PodIdentityAssociation")])
def test_users_whose_names_read_alike_are_two_and_one_that_is_named_twice_is_one(cloud: str, noun: str) -> None:
    users = ["a-b/c", "a/b-c", "a/b-c"]
    found, _ = declare.__wrapped__(cloud, buckets={"acme-raw": {"used_by": users}, "acme-old": {}})
    members = [each.name for each in own(found) if each.type.endswith(noun) and each.name.endswith(("a-b.c", "a.b-c"))]
    assert len(members) == 2


@pytest.mark.parametrize("cloud", ["eks", "ionos"])
def test_every_bucket_says_whether_it_keeps_versions(cloud: str) -> None:
    found, _ = declare(cloud)
    statuses = {name: found.inputs("BucketVersioning", name)["versioningConfiguration"] for name in BUCKETS}
    assert statuses == {"acme-raw": {"status": "Enabled"}, "acme-old": {"status": "Suspended"}}


def test_the_keys_to_buckets_of_ionos_are_made_for_a_user() -> None:
    found, known = declare("ionos")
    assert found.inputs("S3Key", "ml-platform-key") == {"userId": USER, "active": True}
    storage = known["cluster"].object_storage
    assert storage.endpoint == "https://s3.eu-central-3.ionoscloud.com"
    assert set(storage.keys) == set(ACCOUNTS)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_platform_reaches_buckets_of_gke_by_a_key_that_opens_its_own_alone(account: str) -> None:
    found, known = declare("gke")
    email = {"serviceAccountEmail": "nodes@acme.test"}  # of the account that is made for it
    assert found.inputs("HmacKey", f"ml-platform-{account}") == email
    bucket = ACCOUNTS[account]
    member = found.inputs("BucketIAMMember", f"{bucket}-{account}")
    assert (member["bucket"], member["role"]) == (bucket, "roles/storage.objectUser")
    assert account in known["cluster"].object_storage.keys


@pytest.mark.parametrize(("user", "opened"), [("mlflow.mlflow", 1), ("models.iris", 1), ("models.etl", 2)])
def test_a_role_of_eks_opens_the_buckets_of_one_service_account_alone(user: str, opened: int) -> None:
    found, known = declare("eks")
    statements = json.loads(found.inputs("RolePolicy", f"ml-platform-{user}")["policy"])["Statement"]
    assert [len(each["Resource"]) for each in statements] == [opened, opened, 1]
    assert known["cluster"].object_storage.keys == {}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_goes_to_the_cluster_before_its_buckets_are_open(cloud: str) -> None:
    request = declare(cloud)[0].find("pulumi:providers:kubernetes", "cluster")
    opens = {"gke": "BucketIAMMember", "eks": "PodIdentityAssociation", "ionos": "objectstorage/bucket:Bucket"}
    assert any(opens[cloud] in urn for urn in request.dependencies)
