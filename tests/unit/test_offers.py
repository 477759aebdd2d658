"""What a cloud does not have, or the account may not have: refused by the setting, before anything is made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ml_platform.configuration import SettingsError
from support import offers, stacks
from support.clouds import CLOUDS, SETTINGS, declare, own


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


def nowhere(_asked: Any) -> dict[str, Any]:
    return {"machineTypes": []}


def only_in_a(asked: dict[str, Any]) -> dict[str, Any]:
    return offers.offerings(asked["filters"][0]["values"], "a")


@pytest.mark.parametrize(
    ("cloud", "question", "answer", "said"),
    [
        (
            "eks",
            offers.VERSIONS,
            lambda _: {"clusterVersions": [{"clusterVersion": "1.36"}]},
            ["ml-platform:cluster.version is '1.35', and EKS has: 1.36. Set it with:"],
        ),
        (
            "eks",
            offers.OFFERINGS,
            only_in_a,
            [
                "ml-platform:cluster.pools.gpu.machine is 'g6.xlarge', and AWS does not have it in eu-central-1b, "
                "eu-central-1c, of ml-platform:cluster.zones. It has it in: eu-central-1a.",
                "pulumi config set --path 'ml-platform:cluster.pools.gpu.machine'",
            ],
        ),
        (
            "eks",
            offers.QUOTA,
            lambda asked: {"value": 8.0 if asked["quotaCode"] == "L-DB2E81BA" else 1000.0},
            [
                "may have 24 vCPUs in gpu, and the account's quota of on-demand G and VT instances in eu-central-1 is",
                "request-service-quota-increase --region eu-central-1 --service-code ec2 --quota-code L-DB2E81BA",
            ],
        ),
        (
            "gke",
            offers.REGIONS,
            lambda _: {"names": ["us-east1"]},
            ["ml-platform:cluster.region is 'europe-west3', and Google Cloud has: us-east1. Set it with:"],
        ),
        (
            "gke",
            offers.MACHINES,
            nowhere,
            ["ml-platform:cluster.pools.spot.machine is 'e2-standard-4'", "It has it in: nowhere."],
        ),
        (
            "ionos",
            offers.CONTRACTS,
            lambda _: offers.contracts({"coresPerContract": 30, "ramPerContract": 100 * 1024}),
            ["may have 40 cores together, and the contract allows 30.", "may have 154 GiB of memory together"],
        ),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(
    cloud: str, question: str, answer: Any, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(offers.ANSWERS, question, answer)
    with pytest.raises(SettingsError) as refused:
        declare.__wrapped__(cloud)
    for words in said:
        assert words in str(refused.value)


def test_a_zone_that_the_region_does_not_have_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"cluster\.zones\[1\] is 'europe-west3-x', and region europe-west3 has: "):
        declare.__wrapped__("gke", zones=["europe-west3-a", "europe-west3-x"])


@pytest.mark.parametrize(("zones", "refused"), [(["europe-west3-a", "europe-west3-b"], True), ([], False)])
def test_machines_have_to_be_in_the_zones_that_are_named_and_else_in_one_of_the_region(
    zones: list[str], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = offers.ANSWERS[offers.MACHINES]

    def but_b(asked: dict[str, Any]) -> dict[str, Any] | str:
        return nowhere(asked) if asked["zone"].endswith("b") else everywhere(asked)

    monkeypatch.setitem(offers.ANSWERS, offers.MACHINES, but_b)
    try:
        declare.__wrapped__("gke", zones=zones)
    except SettingsError:
        assert refused
    else:
        assert not refused


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_that_gives_no_answer_is_believed(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for question in offers.ANSWERS:
        monkeypatch.setitem(offers.ANSWERS, question, lambda _: "UnauthorizedOperation: it may not ask")
    found, _ = declare.__wrapped__(cloud)
    assert len(own(found)) > len(SETTINGS[cloud]["pools"])


@pytest.mark.parametrize(
    ("cloud", "question", "why", "way_out"),
    [
        ("eks", offers.OFFERINGS, "ExpiredToken: The security token included in the request is expired", "sso login"),
        ("gke", offers.REGIONS, "oauth2: invalid_grant: reauth related error (invalid_rapt)", "application-default"),
        ("ionos", offers.CONTRACTS, "401 Unauthorized", "export IONOS_TOKEN=<token>"),
    ],
)
def test_credentials_that_a_cloud_does_not_take_are_named_with_where_to_get_others(
    cloud: str, question: str, why: str, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(offers.ANSWERS, question, lambda _: why)
    with pytest.raises(SettingsError, match=f"does not take the credentials that there are: .*{re.escape(why)}") as it:
        declare.__wrapped__(cloud)
    assert way_out in str(it.value)


def test_of_several_contracts_none_is_taken_for_the_one_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"coresPerContract": 1, "ramPerContract": 1024}
    monkeypatch.setitem(offers.ANSWERS, offers.CONTRACTS, lambda _: offers.contracts(small, small))
    declare.__wrapped__("ionos")
