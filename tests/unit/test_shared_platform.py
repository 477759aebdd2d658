"""The platform of another stack: what is taken from it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError
from support import stacks
from support.other_platform import EXPORTS, FOUND, OTHER, PLATFORM, SECRETS, stand_on, without


def test_secrets_stay_secrets_and_nothing_else_becomes_one() -> None:
    assert stand_on().secrets == {"kubeconfig", "object_store"}


def test_nothing_of_the_platform_is_declared() -> None:
    assert [request.type for request in stand_on().requests.values()] == [
        "pulumi:pulumi:Stack",
        "pulumi-python:dynamic/bundles:Preflight",
        "pulumi:providers:kubernetes",
    ]


def test_what_goes_to_the_cluster_waits_until_the_two_have_agreed() -> None:
    found = stand_on()
    waits = found.find("pulumi-python:dynamic/bundles:Preflight", "preflight").dependencies
    assert sorted(urn.rpartition("::")[2] for urn in waits) == [
        "ml-platform:cluster.stack",
        "ml-platform:platform.stack",
    ]
    (before,) = {
        urn.rpartition("::")[2] for urn in found.find("pulumi:providers:kubernetes", "cluster").dependencies
    } - {"ml-platform:cluster.stack"}
    assert before == "preflight"


def test_the_preflight_is_told_which_cluster_the_platform_is_on() -> None:
    asked = stand_on().inputs("Preflight", "preflight")
    assert asked["platform"] == {"stack": OTHER, "cluster": "uid"}


def test_what_is_not_used_is_not_there_though_the_platform_has_it() -> None:
    found = stand_on()
    assert (found.exports["spark"], found.exports["ray"]) == (None, None)


def test_a_key_of_ones_own_wins_over_that_of_the_other_stack() -> None:
    found = stand_on(exports=without("object_store_secret_key"), secrets={"object_store_secret_key": "own"})
    assert found.exports["object_store"]["secret_key"] == "own"


KEYLESS = {"object_store": {"buckets": ["datasets", "raw"], "access": "identity"}}


def keyless(**users: list[str]) -> dict[str, Any]:
    """What a stack on EKS exports, that opens its buckets for these beside its own."""
    store = {**FOUND["object_store"], "users": {"datasets": [], "raw": [], **users}}
    del store["access_key"]
    return {**without("object_store_secret_key"), "platform": {**FOUND, "object_store": store}}


def test_where_service_accounts_open_buckets_no_key_is_asked_for() -> None:
    exports = keyless(datasets=["other/a", "team/data-raw"], raw=["team/data-raw"])
    found = stand_on({**PLATFORM, **KEYLESS}, exports=exports, accounts=["data-raw"])
    store = found.exports["object_store"]
    assert (store["access_key"], store["secret_key"], store["endpoint"]) == (None, None, "http://s3.test")
    assert "object_store" not in found.secrets


def test_service_accounts_that_a_bucket_is_not_open_for_are_refused_with_the_settings_of_the_other_stack() -> None:
    exports = keyless(datasets=["other/a", "team/data-raw"], raw=["team/data-raw", "team/run-iris"])
    with pytest.raises(SettingsError) as refused:
        stand_on({**PLATFORM, **KEYLESS}, exports=exports, accounts=["data-raw", "run-iris", "run-wide"])
    message = str(refused.value)
    assert "names datasets, which stack acme/ml-platform/production does not open for service account" in message
    path = "ml-platform:cluster.buckets.datasets.used_by"
    assert f"pulumi config set --path '{path}[2]' team/run-iris" in message
    assert f"pulumi config set --path '{path}[3]' team/run-wide" in message
    assert "pulumi config set --path 'ml-platform:cluster.buckets.raw.used_by[2]' team/run-wide" in message
    assert message.count("pulumi config set") == 3


@pytest.mark.parametrize(
    ("mine", "exports", "theirs"), [({}, keyless(), "identity"), (KEYLESS, EXPORTS, "key")], ids=["key", "identity"]
)
def test_what_lets_pods_into_buckets_is_as_the_platform_has_it(
    mine: dict[str, Any], exports: dict[str, Any], theirs: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        stand_on({**PLATFORM, **mine}, exports=exports, accounts=["data-raw"])
    assert str(refused.value).startswith("ml-platform:platform.object_store.access is ")
    assert f"pulumi config set --path 'ml-platform:platform.object_store.access' {theirs}" in str(refused.value)
    assert str(refused.value).count("pulumi config set") == 1


DIFFERENCES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"serving": {"mode": "standard"}}, "platform.serving.mode is 'standard'", ["has knative", "mode' knative"]),
    ({"spark": {"operator": "stackable"}}, "platform.spark.operator is 'stackable'", ["has kubeflow"]),
    ({"spark": {"namespace": "mine"}}, "platform.spark.namespace is 'mine'", ["spark.namespace' spark-jobs"]),
    ({"object_store": {"buckets": ["datasets", "mine"]}}, "object_store.buckets[1] is 'mine'", ["has datasets or raw"]),
    ({"images": stacks.images({"training"}) | {"mlserver": f"other@sha256:{'0' * 64}"}},
     "platform.images.mlserver is 'other@sha256:", ["has registry.test/mlserver@sha256:"]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "says", "way_out"), DIFFERENCES)
def test_another_choice_than_the_platforms_is_refused_with_both_values_and_the_way_out(
    changes: dict[str, Any], says: str, way_out: list[str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        stand_on({**PLATFORM, **changes})
    message = str(refused.value)
    for text in (says, f"the platform of stack {OTHER} has", "pulumi config set --path", *way_out):
        assert text in message


@pytest.mark.parametrize(
    ("block", "key"), [("spark", "spark.operator"), ("ray", "ray"), ("training", "training.operator")]
)
def test_what_the_platform_does_not_have_is_refused_with_the_block_to_remove(block: str, key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        stand_on({**PLATFORM, block: {}}, exports=without("platform", block))
    assert f"ml-platform:platform.{key} is " in str(refused.value)
    assert "has none" in str(refused.value)
    assert f"pulumi config rm --path 'ml-platform:platform.{block}'" in str(refused.value)


def test_pools_are_those_of_the_platform_though_not_all_need_be_described() -> None:
    mine = {"gpu": FOUND["pools"]["gpu"]}
    assert stand_on(pools=mine).exports["pools"] == mine


@pytest.mark.parametrize(
    ("mine", "exports", "words"),
    [
        (
            {"big": {}},
            EXPORTS,
            "cluster.pools.big is none of the pools that stack acme/ml-platform/production has: gpu, spot.",
        ),
        ({"gpu": {}}, without("platform", "pools"), "has: there are none. Describe one of those, or remove it with:"),
        ({"gpu": {"nodeSelector": {"kind": "x"}}}, EXPORTS, 'they say {"nodeSelector": {"kind": "gpu"}}'),
    ],
)
def test_another_pool_than_the_platforms_is_refused_with_theirs(
    mine: dict[str, Any], exports: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        stand_on(exports=exports, pools=mine)
    assert words in str(refused.value)


def test_all_differences_are_shown_at_once() -> None:
    differs = {"serving": {"mode": "standard"}, "object_store": {"buckets": ["mine"]}}
    with pytest.raises(SettingsError) as refused:
        stand_on({**PLATFORM, **differs}, namespace="kserve")
    assert str(refused.value).count("pulumi config set") == 3


@pytest.mark.parametrize("namespace", ["gateway", "kserve"])
def test_a_namespace_of_the_platforms_own_is_refused(namespace: str) -> None:
    with pytest.raises(SettingsError, match=rf"workloads.namespace is '{namespace}'.*has gateway, kserve itself"):
        stand_on(namespace=namespace)


@pytest.mark.parametrize(
    ("name", "key"), [("platform", "platform"), ("platform_cluster", "platform"), ("kubeconfig", "cluster")]
)
def test_a_stack_without_such_an_output_is_refused_with_what_it_may_be(name: str, key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        stand_on(exports=without(name))
    message = str(refused.value)
    assert f"ml-platform:{key}.stack is {OTHER!r}, and that stack has no output {name!r}" in message
    assert "another program's" in message
    assert f"pulumi config set --path 'ml-platform:{key}.stack' <organization>/<project>/<stack>" in message


@pytest.mark.parametrize("name", SECRETS)
def test_an_output_in_the_clear_that_should_be_secret_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"output {name!r} is not secret") as refused:
        stand_on(sealed=set(SECRETS) - {name})
    assert EXPORTS[name] not in str(refused.value)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_can_not_be_decrypted_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(SettingsError, match=f"output {name!r} can't be decrypted here.*same one"):
        stand_on(exports={**EXPORTS, name: {}})
