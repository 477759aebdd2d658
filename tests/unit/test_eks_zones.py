"""The right of cert-manager on EKS to edit zones: where it has it, what it is, and when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ml_platform import agreement
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import ClusterSettings, PlatformSettings
from support import chosen, stacks
from support.clouds import COMMON, SETTINGS, declare, own

ACME = {"email": "ml@example.com"}
ROUTE53 = {"provider": "route53", "region": "eu-central-1"}


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


def platform(**acme: Any) -> PlatformSettings:
    tls = {"issuer": "acme", "hosts": ["iris.models"], "acme": {**ACME, **acme}}
    gateway = {"domain": "ml.example.com", "access": ["0.0.0.0/0"], "tls": tls}
    return chosen.platform(certificates="cert-manager", gateway=gateway)


def check(cloud: str, settings: PlatformSettings, **changes: Any) -> None:
    agreement.check(validate("cluster", {**COMMON, **SETTINGS[cloud], **changes}, ClusterSettings).root, settings, [])


def test_cert_manager_may_write_proofs_into_its_zones_and_nothing_else() -> None:
    statements = json.loads(declare("eks")[0].inputs("RolePolicy", "ml-platform-zones")["policy"])["Statement"]
    (change,) = [each for each in statements if "route53:ChangeResourceRecordSets" in each["Action"]]
    assert change["Resource"] == [f"arn:aws:route53:::hostedzone/{zone}" for zone in SETTINGS["eks"]["dns_zones"]]
    assert list(change["Condition"]["ForAllValues:StringEquals"].values()) == [["TXT"]]
    everywhere = [action for each in statements if "*" in each["Resource"] for action in each["Action"]]
    assert everywhere == ["route53:ListHostedZonesByName"]


def test_its_pods_are_known_by_their_service_account_before_there_are_any() -> None:
    found, _ = declare("eks")
    identity = found.inputs("PodIdentityAssociation", "ml-platform-zones")
    assert (identity["namespace"], identity["serviceAccount"]) == ("cert-manager", "cert-manager")
    request = found.find("pulumi:providers:kubernetes", "cluster")
    for noun in ("PodIdentityAssociation", "RolePolicy"):
        assert any(urn.endswith(f"{noun}::ml-platform-zones") for urn in request.dependencies)


def test_without_zones_nobody_may_edit_any() -> None:
    found, _ = declare.__wrapped__("eks", dns_zones=[])
    assert not [each.name for each in own(found) if each.name.endswith("-zones")]


def test_a_zone_that_cert_manager_may_not_edit_is_refused_with_the_setting_that_lets_it() -> None:
    with pytest.raises(SettingsError) as refused:
        check("eks", platform(dns01=ROUTE53), dns_zones=[])
    assert "ml-platform:cluster.dns_zones is empty" in str(refused.value)
    assert "pulumi config set --path 'ml-platform:cluster.dns_zones[0]' <id>" in str(refused.value)


@pytest.mark.parametrize(
    ("cloud", "settings", "changes"),
    [
        ("eks", platform(dns01=ROUTE53), {}),
        ("eks", platform(dns01={"provider": "cloudflare"}), {"dns_zones": []}),
        ("eks", platform(), {"dns_zones": []}),
        ("eks", chosen.platform(), {"dns_zones": []}),
        ("gke", platform(dns01=ROUTE53), {}),
    ],
)
def test_a_zone_that_the_cluster_need_not_know_is_not_refused(
    cloud: str, settings: PlatformSettings, changes: dict[str, Any]
) -> None:
    check(cloud, settings, **changes)


def test_the_program_looks_before_it_asks_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "decided", lambda _: {})
    with pytest.raises(SettingsError, match=r"cluster\.dns_zones is empty"):
        stacks.record("eks", config=stacks.whole("eks"))
