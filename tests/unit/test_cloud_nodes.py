"""The nodes of clusters that the stack makes itself: what they are for, what they start with, whose they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import offers, recorder, stacks
from support.clouds import OWNERSHIP, SETTINGS, declare, own


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("cloud", "purpose", "taint"),
    [
        ("gke", "general", None),
        ("gke", "spot", {"key": "ml-platform/purpose", "value": "spot", "effect": "NO_SCHEDULE"}),
        ("gke", "gpu", {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}),
        ("eks", "general", None),
        ("eks", "spot", {"key": "ml-platform/purpose", "value": "spot", "effect": "NO_SCHEDULE"}),
        ("eks", "gpu", {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}),
    ],
)
def test_nodes_say_what_they_are_for(cloud: str, purpose: str, taint: dict[str, str] | None) -> None:
    noun = {"gke": "NodePool", "eks": "NodeGroup"}[cloud]
    inputs = declare(cloud)[0].inputs(noun, f"ml-platform-{purpose}")
    node = inputs.get("nodeConfig", inputs)
    assert node.get("taints") == (taint and [taint])
    named = {"ml-platform/pool": purpose, "ml-platform/purpose": purpose}
    assert {key: label for key, label in node["labels"].items() if key.startswith("ml-platform/")} == named


def test_nodes_of_eks_with_gpus_offer_them_to_pods_by_themselves() -> None:
    found, _ = declare("eks")
    group = found.inputs("NodeGroup", "ml-platform-gpu")
    assert group["amiType"] == "BOTTLEROCKET_x86_64_NVIDIA"  # it has the driver and the device plugin
    assert group["labels"]["k8s.amazonaws.com/accelerator"] == "g6.xlarge"
    assert found.inputs("NodeGroup", "ml-platform-spot")["amiType"] == "AL2023_x86_64_STANDARD"


@pytest.mark.parametrize(
    ("pool", "sizes"), [("general", {"/dev/xvda": 100}), ("gpu", {"/dev/xvda": None, "/dev/xvdb": 100})]
)
def test_all_disks_of_nodes_of_eks_are_encrypted_and_pods_have_the_one_of_the_settings(
    pool: str, sizes: dict[str, int | None]
) -> None:
    disks = declare("eks")[0].inputs("LaunchTemplate", f"ml-platform-{pool}")["blockDeviceMappings"]
    assert {disk["deviceName"]: disk["ebs"].get("volumeSize") for disk in disks} == sizes
    assert {disk["ebs"]["encrypted"] for disk in disks} == {"true"}


def test_the_nodes_of_gke_are_counted_over_all_zones() -> None:
    inputs = declare("gke")[0].inputs("NodePool", "ml-platform-general")
    assert inputs["initialNodeCount"] == 2  # in each of two zones, for three
    assert inputs["autoscaling"] == {"totalMinNodeCount": 3, "totalMaxNodeCount": 5, "locationPolicy": "BALANCED"}


def test_a_pool_of_ionos_scales_where_it_has_room_to() -> None:
    found, _ = declare("ionos")
    fixed, scaling = (found.inputs("NodePool", f"ml-platform-{pool}") for pool in ("general", "burst"))
    assert "autoScaling" not in fixed
    assert fixed["ramSize"] == 30 * 1024
    assert scaling["autoScaling"] == {"minNodeCount": 1, "maxNodeCount": 4}
    assert found.find("NodePool", "ml-platform-burst").ignoreChanges == ["nodeCount"]


def test_add_ons_and_nodes_of_eks_have_the_releases_of_the_settings() -> None:
    found, _ = declare("eks")
    addons = [recorder.inputs(each) for each in own(found) if each.type == "aws:eks/addon:Addon"]
    assert {each["addonName"]: each["addonVersion"] for each in addons} == offers.ADDONS
    for pool, system in {"general": "al2023", "spot": "al2023", "gpu": "bottlerocket"}.items():
        group = found.inputs("NodeGroup", f"ml-platform-{pool}")
        assert (group["version"], group["releaseVersion"]) == ("1.35", offers.NODE_RELEASES[system])


TAGS = {"ml-platform/stack": "test", **OWNERSHIP.tags}


@pytest.mark.parametrize("pool", SETTINGS["eks"]["pools"])
@pytest.mark.parametrize("made", ["instance", "volume", "network-interface"])
def test_what_aws_makes_for_a_node_says_whose_it_is(pool: str, made: str) -> None:
    template = declare("eks")[0].inputs("LaunchTemplate", f"ml-platform-{pool}")
    (tags,) = [each["tags"] for each in template["tagSpecifications"] if each["resourceType"] == made]
    assert tags == {"Name": f"ml-platform-{pool}", **TAGS}


def test_volumes_and_the_load_balancer_of_eks_say_whose_they_are() -> None:
    found, known = declare("eks")
    disks = json.loads(found.inputs("Addon", "ml-platform-disks")["configurationValues"])
    assert disks["controller"]["extraVolumeTags"] == TAGS
    (listed,) = [
        value for key, value in known["exports"]["cluster"]["load_balancer"]["annotations"].items() if "tags" in key
    ]
    assert dict(pair.split("=") for pair in listed.split(",")) == TAGS
