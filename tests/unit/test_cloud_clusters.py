"""The clusters that a stack makes itself: what each asks its cloud for, as the cloud's own SDK knows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform import repositories
from ml_platform.clusters import Cluster
from support import recorder, stacks
from support.clouds import ARN, AUTHORITY, CLOUDS, OWNERSHIP, SETTINGS, USER, Cloud, declare, own
from support.typed import strangers


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_sdk_knows_every_input(cloud: str) -> None:
    found, _ = declare(cloud)
    assert len(own(found)) > 8
    unknown = [path for each in own(found) for path in strangers(each.type, recorder.inputs(each))]
    assert unknown == []


def test_an_input_that_the_sdk_does_not_know_would_be_found() -> None:
    assert strangers("aws:eks/cluster:Cluster", {"vpcConfig": {"subnets": []}, "colour": 1}) == [
        "Cluster.vpcConfig.subnets",
        "Cluster.colour",
    ]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_everything_goes_to_the_provider_of_the_cloud_and_hangs_below_its_cluster(cloud: str) -> None:
    found, _ = declare(cloud)
    for each in own(found):
        assert "pulumi:providers:" in each.provider, each.name
        assert "Cluster" in each.parent.split("::")[-2], each.name


@pytest.mark.parametrize(
    ("cloud", "command"),
    [
        ("gke", ["gke-gcloud-auth-plugin", "--use_application_default_credentials"]),
        (
            "eks",
            [
                "aws",
                "eks",
                "get-token",
                "--cluster-name",
                "ml-platform",
                "--region",
                "eu-central-1",
                "--output",
                "json",
            ],
        ),
    ],
)
def test_a_kubeconfig_asks_a_command_and_holds_no_credential(cloud: str, command: list[str]) -> None:
    _, known = declare(cloud)
    document = json.loads(known["kubeconfig"])
    (user,) = document["users"]
    assert [user["user"]["exec"]["command"], *user["user"]["exec"]["args"]] == command
    assert list(user["user"]) == ["exec"]
    (cluster,) = document["clusters"]
    assert cluster["cluster"] == {"server": "https://192.0.2.1", "certificate-authority-data": AUTHORITY}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_kubernetes_provider_knows_the_cluster_by_its_identity_and_waits_for_nodes(cloud: str) -> None:
    found, known = declare(cloud)
    request = found.find("pulumi:providers:kubernetes", "cluster")
    options = recorder.inputs(request)
    assert options["clusterIdentifier"] == known["identifier"]
    assert known["identifier"] in (ARN, "ml-platform-id")
    assert options["kubeconfig"] == "[secret]"
    pools = [f"::ml-platform-{pool}" for pool in SETTINGS[cloud]["pools"]]
    assert all(any(urn.endswith(pool) for urn in request.dependencies) for pool in pools)


DATA = ("Bucket", "Cluster", "Key", "Registry", "Repository", "BucketPublicAccessBlock", "PublicAccessBlock",
        "BucketServerSideEncryptionConfiguration", "BucketVersioning")  # fmt: skip


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("data", ["protect", "retain", "delete"])
def test_what_holds_data_is_kept_as_the_settings_say(cloud: str, data: str) -> None:
    found, _ = declare(cloud, data=data)
    for each in own(found):
        noun = each.type.rpartition(":")[2]
        assert each.protect == (noun in DATA and data == "protect"), each.type
        assert each.retainOnDelete == (noun in DATA and noun != "Cluster" and data == "retain"), each.type
        inputs = recorder.inputs(each)
        for key in ("forceDestroy", "forceDelete", "allowReplace"):
            assert inputs.get(key, data == "delete") == (data == "delete"), each.type
        assert inputs.get("deletionProtection", data == "protect") == (data == "protect"), each.type


@pytest.mark.parametrize("own_images", [[], ["churn"], ["churn", "mlflow", "churn"]])
def test_the_registry_of_eks_has_repositories_for_the_images_of_the_platform_and_for_those_of_the_settings(
    own_images: list[str],
) -> None:
    found, known = declare.__wrapped__("eks", repositories=own_images)
    names = [each.name for each in own(found) if each.type == "aws:ecr/repository:Repository"]
    assert sorted(names) == sorted(f"ml-platform/{image}" for image in {*repositories.names(), *own_images})
    assert known["exports"]["registry"] == "123456789012.dkr.ecr.test/ml-platform"


@pytest.mark.parametrize(
    ("cloud", "noun", "field"),
    [
        ("gke", "Cluster", "resourceLabels"),
        ("gke", "Bucket", "labels"),
        ("eks", "Cluster", "tags"),
        ("eks", "Bucket", "tags"),
        ("ionos", "Bucket", "tags"),
    ],
)
def test_what_costs_money_or_holds_data_says_whose_it_is(cloud: str, noun: str, field: str) -> None:
    found, _ = declare(cloud)
    owned = [recorder.inputs(each)[field] for each in own(found) if each.type.endswith(f":{noun}")]
    assert owned
    assert [each for each in owned if each != OWNERSHIP.tags] == []


@pytest.mark.parametrize("given", [None, USER])
def test_a_data_center_of_ionos_is_made_or_given(given: str | None) -> None:
    found, _ = declare("ionos", datacenter=given)
    made = [each for each in own(found) if each.type.endswith(":Datacenter")]
    assert len(made) == (not given)
    assert found.inputs("NodePool", "ml-platform-general")["datacenterId"] == (given or "ml-platform-id")


def test_roles_of_eks_have_names_that_iam_takes_however_long_those_of_pods_are() -> None:
    users = [f"models/{'a' * 62}{end}" for end in "ab"]
    buckets = {"acme-raw": {"used_by": users}, "acme-old": {}}
    found, _ = declare.__wrapped__("eks", buckets=buckets)
    names = [each.name for each in own(found) if each.type.endswith(":Role")]
    assert len([name for name in names if name.startswith("ml-platform-models.aaa")]) == len(users)
    assert max(map(len, names)) == 64 - len("-1234567")  # which Pulumi adds


LONGEST = {
    "gcp:container/cluster:Cluster": ("name", 40),
    "gcp:container/nodePool:NodePool": ("name", 40),
    "gcp:serviceaccount/account:Account": ("accountId", 30),
    "gcp:artifactregistry/repository:Repository": ("repositoryId", 63),
    "gcp:compute/firewall:Firewall": ("name", 63),
    "gcp:compute/address:Address": ("name", 63),
    "aws:eks/cluster:Cluster": ("name", 100),
    "aws:eks/nodeGroup:NodeGroup": ("nodeGroupNamePrefix", 37),  # with what the provider adds, 63
    "aws:kms/alias:Alias": ("name", 256),
    "aws:ecr/repository:Repository": ("name", 256),
    "ionoscloud:k8s/cluster:Cluster": ("name", 63),
    "ionoscloud:k8s/nodePool:NodePool": ("name", 63),
    "ionoscloud:creg/registry:Registry": ("name", 63),
}
"""What clouds take as a name."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_longest_names_of_the_settings_fit_what_the_cloud_takes(cloud: str) -> None:
    pools = {"p" * 12: SETTINGS[cloud]["pools"]["general"]}
    found, _ = declare.__wrapped__(cloud, stack="s" * 100, name="n" * 20, pools=pools)
    named = [(each, *LONGEST[each.type]) for each in own(found) if each.type in LONGEST]
    assert len(named) >= 3
    assert [each.name for each, field, most in named if len(recorder.inputs(each)[field]) > most] == []


@pytest.mark.parametrize("stack", ["s" * 63, "s" * 80, "Prod.EU", "dev_"])
def test_every_name_of_a_stack_is_a_label_of_google_and_a_tag_of_amazon(stack: str) -> None:
    google = declare.__wrapped__("gke", stack=stack)[0].inputs("pulumi:providers:gcp", "gcp")["defaultLabels"]
    assert re.fullmatch(r"[a-z0-9_-]{1,63}", json.loads(google)["ml-platform-stack"])
    amazon = declare.__wrapped__("eks", stack=stack)[0].inputs("pulumi:providers:aws", "aws")["defaultTags"]
    assert json.loads(amazon)["tags"]["ml-platform/stack"] == stack


def test_admins_of_eks_whose_last_words_are_the_same_are_two_and_one_that_is_named_twice_is_one() -> None:
    role = "arn:aws:iam::123456789012:role/{}platform"
    admins = [role.format("a/"), role.format("b/"), role.format("b/")]
    found, _ = declare.__wrapped__("eks", admins=admins)
    entries = [each for each in own(found) if each.type.endswith(":AccessEntry")]
    assert [recorder.inputs(each)["principalArn"] for each in entries] == admins[:2]


def test_the_network_of_eks_has_a_way_out_in_each_zone_if_asked_and_no_range_twice() -> None:
    found, _ = declare("eks")
    assert len([each for each in own(found) if each.type.endswith(":NatGateway")]) == 3
    ranges = [recorder.inputs(each)["cidrBlock"] for each in own(found) if each.type.endswith(":Subnet")]
    assert len(set(ranges)) == 6
    assert len([each for each in own(declare("eks", nat="one")[0]) if each.type.endswith(":NatGateway")]) == 1


@pytest.mark.parametrize(
    ("cloud", "registry", "summary"),
    [
        (
            "ionos",
            "acme.cr.test",
            {"kind": "a public address on one of the nodes", "annotations": {}, "address": "192.0.2.9"},
        ),
        (
            "gke",
            "europe-west3-docker.pkg.dev/acme-ml/ml-platform",
            {"kind": "an external network load balancer", "annotations": {}, "address": "192.0.2.9"},
        ),
        ("eks", "123456789012.dkr.ecr.test/ml-platform", {"kind": "a network load balancer"}),
    ],
)
def test_its_users_are_told_what_it_has(cloud: str, registry: str, summary: dict[str, Any]) -> None:
    exports = declare(cloud)[1]["exports"]
    found = exports["cluster"]
    assert exports["registry"] == registry
    assert {key: found["load_balancer"][key] for key in summary} == summary
    assert found["version"] == SETTINGS[cloud]["version"]
    assert found["storage_class"] == {"eks": "ebs-csi-default-sc", "gke": "standard-rwo"}.get(
        cloud, "ionos-enterprise-ssd"
    )
    assert list(found["pools"]) == list(SETTINGS[cloud]["pools"])
    assert {name: bucket["account"] for name, bucket in found["buckets"].items()} == {
        "acme-raw": "workloads",
        "acme-old": "mlflow",
    }


SECRETS = {
    "eks": {"kubeconfig"},
    "gke": {"kubeconfig", "bucket_secret_mlflow", "bucket_secret_workloads"},
    "ionos": {"kubeconfig", "bucket_secret_mlflow", "bucket_secret_workloads", "registry_login"},
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_stack_without_a_platform_has_its_cluster_and_tells_of_it_with_each_secret_apart(cloud: str) -> None:
    found = stacks.record(f"{cloud}-cluster", world=Cloud())
    assert set(found.exports) == {"cluster", "registry", *SECRETS[cloud]}
    assert found.secrets == SECRETS[cloud]
    assert own(found)
    on_it = [each for each in found.requests.values() if each.type.startswith("kubernetes:") or "Platform" in each.type]
    assert all("Autoscaler" in each.parent for each in on_it)
    assert bool(on_it) == (cloud == "eks")


def test_a_cluster_that_the_stack_did_not_make_has_nothing_to_tell() -> None:
    cluster = Cluster(
        kubeconfig=pulumi.Output.from_input(""), options={}, images={}, storage_class=None, disposable=True,
        protected=False,
    )  # fmt: skip
    assert list(cluster.exports()) == ["kubeconfig"]
