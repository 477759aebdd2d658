"""The rules of the policies that the API server keeps, as a platform declares them."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.admission import images, pods, rights
from ml_platform.admission.rule import Level
from ml_platform.components.admission import Admission, rules
from ml_platform.configuration import SettingsError
from ml_policies.access import no_cluster_admin, no_wildcard_rights
from ml_policies.catalog import POLICIES
from ml_policies.supply_chain import no_latest_image
from support import chosen, recorder

POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = f"{POLICY}Binding"
EVERYTHING = {"admission": {"registries": ["registry.test"]}}


def declare(**admission: Any) -> recorder.Recorder:
    return recorder.record(lambda: Admission(chosen.site(chosen.platform(admission=admission))))


@pytest.mark.parametrize(("level", "actions"), [("mandatory", ["Deny"]), ("advisory", ["Warn", "Audit"])])
def test_each_rule_is_a_policy_and_what_binds_it_where_workloads_are(level: Level, actions: list[str]) -> None:
    tree = declare(level=level)
    for rule in rules(chosen.platform(admission={})):
        policy, binding = tree.find(POLICY, rule.policy), tree.find(BINDING, rule.policy)
        spec = tree.inputs(BINDING, rule.policy)["spec"]
        assert spec["policyName"] == tree.inputs(POLICY, rule.policy)["metadata"]["name"]
        assert spec["validationActions"] == actions
        assert spec["matchResources"] == {"namespaceSelector": {"matchLabels": {"ml-platform/workloads": "true"}}}
        assert any(urn.endswith(f"{POLICY}::{policy.name}") for urn in binding.dependencies)


def test_a_platform_without_the_block_has_none() -> None:
    assert not Admission.chosen(chosen.platform())


def test_registries_are_a_rule_where_there_are_some() -> None:
    assert "image-registry" not in {rule.policy for rule in rules(chosen.platform(admission={}))}
    assert "image-registry" in {rule.policy for rule in rules(chosen.platform(**EVERYTHING))}


def test_each_rule_is_of_a_policy() -> None:
    assert {rule.policy for rule in rules(chosen.platform(**EVERYTHING))} <= {each.name for each in POLICIES}


def test_what_is_listed_is_what_the_policies_list() -> None:
    assert set(images.MOVING) == no_latest_image.Refused().tags
    assert set(rights.RAISING) == no_wildcard_rights.RAISING
    assert set(rights.POWERFUL) == no_wildcard_rights.POWERFUL
    assert set(rights.ANYBODY) == no_cluster_admin.ANYBODY
    assert set(rights.MASTERS) == no_cluster_admin.MASTERS
    assert set(rights.REFUSED) == no_cluster_admin.Refused().roles
    assert "queue-proxy" in pods.SIDECARS


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"level": "deny"}, "admission.level"),
        ({"registries": ["https://registry.test"]}, "admission.registries"),
        ({"registries": ["registry.test'"]}, "admission.registries"),
        ({"namespaces": ["models"]}, "admission.namespaces"),
    ],
)
def test_a_setting_that_can_not_be_is_named(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError, match=f"ml-platform:platform.{key}"):
        chosen.platform(admission=settings)
