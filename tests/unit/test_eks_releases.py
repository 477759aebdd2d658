"""Releases of add-ons and of nodes on EKS: named by the settings, and what AWS has is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.configuration import SettingsError
from support import offers, recorder, stacks
from support.clouds import declare, own

GENERAL = {"general": {"machine": "m7i.xlarge", "minimum": 1}}


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", found.append)
    return found


def command(key: str, value: str) -> str:
    return f"  pulumi config set --path 'ml-platform:cluster.{key}' {value}"


def refusal(**settings: Any) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        declare.__wrapped__("eks", **settings)
    return str(refused.value).splitlines()


def test_what_the_settings_do_not_name_is_refused_with_the_commands_that_name_what_eks_would_choose() -> None:
    first, *commands = refusal(addons={}, node_releases={})
    assert first.startswith("ml-platform:cluster names the release of each add-on and node image, for Kubernetes 1.35")
    assert set(commands) == {
        *(command(f"addons.{addon}", version) for addon, version in offers.ADDONS.items()),
        *(command(f"node_releases.{system}", release) for system, release in offers.NODE_RELEASES.items()),
    }


def test_nodes_without_gpus_need_no_release_of_nodes_with_them() -> None:
    releases = {"al2023": offers.NODE_RELEASES["al2023"]}
    declare.__wrapped__("eks", pools=GENERAL, node_releases=releases)
    assert refusal(node_releases=releases)[1:] == [
        command("node_releases.bottlerocket", offers.NODE_RELEASES["bottlerocket"])
    ]


@pytest.mark.parametrize(
    ("block", "key", "given"),
    [("addons", "kube-proxy", "v1.34.9-eksbuild.9"), ("node_releases", "al2023", "1.34.9-20261231")],
)
def test_a_release_of_another_version_of_kubernetes_is_refused_with_one_that_fits(
    block: str, key: str, given: str
) -> None:
    known = {"addons": offers.ADDONS, "node_releases": offers.NODE_RELEASES}[block]
    first, *commands = refusal(**{block: {**known, key: given}})
    assert f"{block}.{key} is {given}" in first
    assert commands == [command(f"{block}.{key}", known[key])]


def test_where_aws_does_not_answer_the_commands_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for question in (offers.ADDON, offers.PARAMETER):
        monkeypatch.setitem(offers.ANSWERS, question, lambda _: "AccessDenied")
    commands = refusal(addons={}, node_releases={})[1:]
    assert len(commands) == len(offers.ADDONS) + len(offers.NODE_RELEASES)
    assert [each for each in commands if '"$(aws ' not in each] == []


@pytest.mark.parametrize(
    ("offered", "newer"), [("v1.21.2-eksbuild.1", True), ("v1.21.1-eksbuild.3", False), ("v1.21.1-eksbuild.2", False)]
)
def test_what_is_outdated_is_told_and_stays_until_the_settings_change(
    offered: str, newer: bool, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        offers.ANSWERS,
        offers.ADDON,
        lambda asked: {"version": {**offers.ADDONS, "vpc-cni": offered}[asked["addonName"]]},
    )
    found, _ = declare.__wrapped__("eks")
    (addon,) = [each for each in own(found) if each.name == "ml-platform-vpc-cni"]
    assert recorder.inputs(addon)["addonVersion"] == offers.ADDONS["vpc-cni"]
    assert [command("addons.vpc-cni", offered) in each for each in told] == [True] * newer


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"addons": {"vpc-cni": "latest"}}, "addons.vpc-cni"),
        ({"addons": {"ebs": "v1.0.0-eksbuild.1"}}, "addons"),
        ({"node_releases": {"al2023": "ami-0123"}}, "node_releases.al2023"),
    ],
)
def test_what_is_no_release_is_refused_by_its_setting(changes: dict[str, Any], key: str) -> None:
    assert any(line.startswith(f"ml-platform:cluster.{key}") for line in refusal(**changes))
