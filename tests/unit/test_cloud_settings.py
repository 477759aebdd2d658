"""What the settings of a cloud's cluster refuse, and what is looked for before any cloud is asked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from ml_platform import clusters, fit
from ml_platform.clusters import cloud
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import ClusterSettings
from support import chosen, stacks
from support.clouds import CLOUDS, COMMON, SETTINGS, declare


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cloud, "_vendor", lambda: "QEMU")


def refusal(name: str, changes: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        validate("cluster", {**COMMON, **SETTINGS[name], **changes}, ClusterSettings)
    return str(refused.value)


def pool(name: str, **changes: Any) -> dict[str, Any]:
    return {"pools": {"general": {**SETTINGS[name]["pools"]["general"], **changes}}}


@pytest.mark.parametrize(
    ("name", "changes", "path", "rule"),
    [
        ("ionos", {"location": "de/muc"}, "location", "should be 'de/fra'"),
        ("gke", {"region": "Frankfurt"}, "region", "should match pattern"),
        ("gke", {"zones": ["europe-west1-b"]}, "zones", "zone europe-west1-b is not in region europe-west3"),
        ("gke", {"project": "Acme ML"}, "project", "should match pattern"),
        ("eks", {"region": "europe-west3"}, "region", "should match pattern"),
        ("eks", {"zones": ["a", "a", "b"]}, "zones", "three different zones"),
        ("eks", {"zones": ["a", "b"]}, "zones[2]", "is missing"),
        ("ionos", {"version": "1.35"}, "version", "should match pattern"),
        ("gke", {"version": "1.35.2"}, "version", "should match pattern"),
        ("eks", {"version": "latest"}, "version", "should match pattern"),
        ("eks", {"version": 1.35}, "version", "should be a valid string"),
        ("gke", pool("gke", machine="m7i.large"), "pools.general.machine", "should match pattern"),
        ("eks", pool("eks", machine="e2-standard-4"), "pools.general.machine", "should match pattern"),
        ("eks", pool("eks", machine="g6.xlarge"), "pools.general.machine", "for purpose: gpu"),
        ("eks", pool("eks", purpose="gpu"), "pools.general.machine", "for purpose: gpu"),
        ("gke", pool("gke", purpose="gpu"), "pools.general.gpu", "goes together with purpose: gpu"),
        ("gke", pool("gke", gpu={"type": "nvidia-l4"}), "pools.general.gpu", "goes together with purpose: gpu"),
        (
            "gke",
            pool("gke", purpose="gpu", gpu={"type": "nvidia-l4"}, machine="e2-standard-4"),
            "pools.general.machine",
            "machines have GPUs",
        ),
        ("ionos", pool("ionos", memory=512), "pools.general.memory", "less than or equal to 230"),
        ("ionos", pool("ionos", server_type="VCPU"), "pools.general.cpu_family", "only dedicated cores"),
        ("ionos", pool("ionos", minimum=0), "pools.general.minimum", "at least 1 node"),
        ("eks", pool("eks", minimum=9), "pools.general.minimum", "must not be above maximum, which is 4"),
        ("gke", pool("gke", minimum=0), "pools", "must have a minimum of 1 or more"),
        ("gke", {"api_access": []}, "api_access", "at least 1 item"),
        ("gke", {"api_access": ["10.0.0.1/8"]}, "api_access[0]", "host bits set"),
        ("eks", {"network": "10.0.0.0/20"}, "network", "should match pattern"),
        ("eks", {"admins": ["platform"]}, "admins[0]", "should match pattern"),
        ("eks", {"buckets": {"Acme_Raw": {}}}, "buckets", "should match pattern"),
        (
            "eks",
            {"buckets": {"acme-raw": {"used_by": ["iris"]}}},
            "buckets.acme-raw.used_by[0]",
            "should match pattern",
        ),
        ("ionos", {"datacenter": "mine"}, "datacenter", "should match pattern"),
        ("ionos", {"data": "keep"}, "data", "should be 'protect', 'retain' or 'delete'"),
        ("ionos", {"name": "the-whole-platform-of-acme"}, "name", "at most 20 characters"),
    ],
)
def test_a_setting_is_refused_by_its_path_and_rule(name: str, changes: dict[str, Any], path: str, rule: str) -> None:
    said = refusal(name, changes)
    assert f"ml-platform:cluster.{path}" in said
    assert rule in said


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        *(("gke", machine) for machine in ("t2a-standard-4", "c4a-standard-4", "n4a-standard-4", "a4x-highgpu-4g")),
        *(
            ("eks", f"{family}.xlarge")
            for family in ("a1", "m7g", "m8g", "c8gd", "c8gb", "c7gn", "t4g", "im4gn", "x2gd", "hpc7g", "g5g")
        ),
        ("eks", "p6e-gb200.36xlarge"),
    ],
)
def test_machines_with_arm_processors_are_refused_by_the_platform_of_the_images(name: str, machine: str) -> None:
    said = refusal(name, pool(name, machine=machine))
    assert f'ml-platform:cluster.pools.general.machine is "{machine}": it has an ARM processor' in said
    assert "linux/amd64" in said


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        *(("gke", f"{family}-standard-4") for family in ("e2", "n1", "n2d", "n4", "c4", "c4d", "c3d", "t2d")),
        *(("eks", f"{family}.xlarge") for family in ("m7i", "m7i-flex", "c6a", "i7ie", "x2iezn", "inf2", "hpc6a")),
    ],
)
def test_machines_with_x86_processors_are_not_taken_for_others(name: str, machine: str) -> None:
    validate("cluster", {**COMMON, **SETTINGS[name], **pool(name, machine=machine)}, ClusterSettings)


@pytest.mark.parametrize("name", CLOUDS)
def test_who_may_reach_the_api_has_to_be_said(name: str) -> None:
    given = {key: value for key, value in {**COMMON, **SETTINGS[name]}.items() if key != "api_access"}
    with pytest.raises(SettingsError, match=r"ml-platform:cluster\.api_access is missing"):
        validate("cluster", given, ClusterSettings)


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("network", ["203.0.113.0/24", "198.51.100.7/32", "192.0.2.128/25"])
def test_a_network_that_nobody_comes_from_is_refused_before_it_locks_out_everybody(name: str, network: str) -> None:
    with pytest.raises(SettingsError) as refused:
        declare.__wrapped__(name, api_access=["198.18.1.0/24", network])
    assert f"ml-platform:cluster.api_access[1] is '{network}', a network for documentation" in str(refused.value)
    assert "pulumi config set --path 'ml-platform:cluster.api_access[1]' <address>/32" in str(refused.value)


@pytest.mark.parametrize("name", CLOUDS)
def test_the_network_of_a_stack_file_waits_for_somebody_who_decides(name: str, logged_in: None) -> None:
    given = stacks.blocks(f"{name}-cluster")["ml-platform:cluster"]["api_access"]
    with pytest.raises(SettingsError, match=r"cluster\.api_access\[0\] is .*that nobody comes from"):
        declare.__wrapped__(name, api_access=given)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "203.0.0.0/16"])
def test_networks_around_those_that_nobody_comes_from_are_not_refused(network: str, logged_in: None) -> None:
    declare.__wrapped__("eks", api_access=[network])


@pytest.mark.parametrize(
    ("name", "lost", "said"),
    [
        ("ionos", ["IONOS_TOKEN"], "No credentials for IONOS CLOUD: IONOS_TOKEN or IONOS_USERNAME and IONOS_PASSWORD"),
        ("ionos", ["IONOS_S3_SECRET_KEY"], "No credentials for IONOS Object Storage: IONOS_S3_ACCESS_KEY and"),
        (
            "gke",
            ["GOOGLE_APPLICATION_CREDENTIALS"],
            "No credentials for Google Cloud: .*gcloud auth application-default login",
        ),
        ("eks", ["AWS_PROFILE"], "No credentials for AWS: .*aws sso login"),
    ],
)
def test_missing_credentials_are_named_with_where_to_get_them(
    name: str, lost: list[str], said: str, logged_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in lost:
        monkeypatch.delenv(variable)
    with pytest.raises(SettingsError, match=said):
        declare(name, name="without-login")


@pytest.mark.parametrize("variable", ["GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN"])
def test_a_login_of_google_that_the_kubeconfig_does_not_know_is_none(
    variable: str, logged_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv(variable, "{}")
    with pytest.raises(SettingsError, match="GOOGLE_APPLICATION_CREDENTIALS is not set"):
        declare.__wrapped__("gke")


def test_a_login_in_a_file_is_one(logged_in: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE")
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").touch()
    declare("eks", name="with-a-file")


@pytest.mark.parametrize(
    ("name", "command", "way_out"),
    [
        ("gke", "gke-gcloud-auth-plugin", "gcloud components install gke-gcloud-auth-plugin"),
        ("eks", "aws", "Install the AWS CLI"),
    ],
)
def test_a_missing_command_of_a_kubeconfig_is_named_with_how_to_install_it(
    name: str, command: str, way_out: str, logged_in: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=f"The command {command} is not on PATH.*{way_out}"):
        declare(name, name="without-command")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("ionos", "pulumi_ionoscloud", "ionos"), ("gke", "pulumi_gcp", "gcp"), ("eks", "pulumi_aws", "aws")],
)
def test_a_missing_sdk_is_named_with_the_extra_that_has_it(
    name: str, package: str, extra: str, logged_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(clusters, name, raising=False)
    for module in [each for each in sys.modules if each.startswith(f"ml_platform.clusters.{name}")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=rf"{package} is not installed(.|\n)*pip install -e '\.\[{extra}\]'"):
        declare(name, name="without-sdk")


def test_a_version_too_old_for_the_chosen_releases_is_refused_before_the_cluster_is_made() -> None:
    settings = chosen.platform()
    with pytest.raises(SettingsError, match=r"knative-serving 1\.23\.0 supports .*cluster\.version is '1\.33'"):
        fit.check(settings, chosen.needs(), images=[], pulls=True, version="1.33")


def test_no_login_of_this_machine_reaches_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    stacks.log_in(monkeypatch, tmp_path)
    assert "AWS_ACCESS_KEY_ID" not in os.environ
