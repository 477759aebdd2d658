"""What made-up clouds say that they have: all that the settings of the tests and of the stack files ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pulumi.runtime import mocks

Arguments = dict[str, Any]
VERSIONS = "aws:eks/getClusterVersions:getClusterVersions"
OFFERINGS = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
QUOTA = "aws:servicequotas/getServiceQuota:getServiceQuota"
REGIONS = "gcp:compute/getRegions:getRegions"
MACHINES = "gcp:compute/getMachineTypes:getMachineTypes"
CONTRACTS = "ionoscloud:index/getContracts:getContracts"


def offerings(machines: list[str], zones: str) -> dict[str, Any]:
    pairs = [(machine, f"eu-central-1{zone}") for machine in machines for zone in zones]
    return {"instanceTypes": [machine for machine, _ in pairs], "locations": [zone for _, zone in pairs]}


def contracts(*limits: dict[str, int]) -> dict[str, Any]:
    return {"contracts": [{"contractNumber": 1, "resourceLimits": each} for each in limits]}


ADDON = "aws:eks/getAddonVersion:getAddonVersion"
PARAMETER = "aws:ssm/getParameter:getParameter"
ADDONS = {
    "aws-ebs-csi-driver": "v1.51.0-eksbuild.1",
    "coredns": "v1.13.1-eksbuild.2",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.1",
    "kube-proxy": "v1.35.1-eksbuild.2",
    "vpc-cni": "v1.21.1-eksbuild.3",
}
NODE_RELEASES = {"al2023": "1.35.1-20261101", "bottlerocket": "1.52.0-0a1b2c3d"}


def parameter(asked: Arguments) -> dict[str, Any]:
    return {"insecureValue": NODE_RELEASES["bottlerocket" if "bottlerocket" in asked["name"] else "al2023"]}


ANSWERS: dict[str, Callable[[Arguments], dict[str, Any] | str]] = {
    VERSIONS: lambda _: {"clusterVersions": [{"clusterVersion": version} for version in ("1.34", "1.35")]},
    OFFERINGS: lambda asked: offerings(asked["filters"][0]["values"], "abc"),
    "aws:ec2/getInstanceType:getInstanceType": lambda _: {"defaultVcpus": 8},
    ADDON: lambda asked: {"version": ADDONS[asked["addonName"]]},
    PARAMETER: parameter,
    QUOTA: lambda _: {"value": 1000.0},
    REGIONS: lambda _: {"names": ["europe-west1", "europe-west3"]},
    "gcp:compute/getZones:getZones": lambda asked: {"names": [f"{asked['region']}-{zone}" for zone in "abc"]},
    MACHINES: lambda asked: {"machineTypes": [{"name": asked["filter"].rpartition(" ")[2]}]},
    CONTRACTS: lambda _: contracts({"coresPerContract": 500, "ramPerContract": 2000 * 1024}),
}


def answer(args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]] | None:
    """What is said to this question, if it is one of these; an answer may be why there is none."""
    if args.token not in ANSWERS:
        return None
    said = ANSWERS[args.token](dict(args.args))
    return ({}, [("", said)]) if isinstance(said, str) else (said, [])
