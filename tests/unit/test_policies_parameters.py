"""What each parameter of a policy is for: by it, what is refused otherwise is accepted, or the reverse."""

from __future__ import annotations

from typing import Any

import pytest
from ml_policies.catalog import POLICIES
from support.policies import said
from support.refused import MAIN, PREDICTOR, REMOVED

SPARK = "spec.executor"
MANY = {f"{SPARK}.instances": 100}
HUGE = {f"{SPARK}.memory": "300g"}
GPU = {"spec.trainer.resourcesPerNode.limits": {"nvidia.com/gpu": 5, "memory": "1Gi"}}
MACHINES = {"nodeConfig": {"machineType": "g2-standard-4", "guestAccelerators": [{"type": "nvidia-l4"}]}}
OLD = {"apiVersion": "networking.k8s.io/v1beta1"}
Changes = dict[str, Any]

LOOSER: list[tuple[str, dict[str, Any], str, Changes]] = [
    ("known-workload", {"kinds": ["example.com/*"]}, "fleet", {"spec.ship": {"hostPID": True}}),
    ("no-latest-image", {"tags": ["main"]}, "web", {f"{MAIN}.image": "x:latest"}),
    ("edge-tls", {"allowed": True}, "ingress", {"spec.tls": REMOVED}),
    ("edge-authentication", {"networks": ["0.0.0.0/0"]}, "office-balancer", {
        "spec.loadBalancerSourceRanges": ["0.0.0.0/0"]}),
    ("no-cluster-admin", {"roles": ["admin"]}, "readers", {"roleRef.name": "cluster-admin"}),
    ("no-cloud-admin", {"google": []}, "google-member", {"role": "roles/owner"}),
    ("no-cloud-admin", {"amazon": []}, "amazon-rights", {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ("versioned-buckets", {"scratch": ["goo*"]}, "google", {"versioning.enabled": False}),
    ("bounded-concurrency", {"maximum": 1000}, "iris", {f"{PREDICTOR}.scaleTarget": 1000}),
    ("bounded-replicas", {"maximum": 100}, "iris", {f"{PREDICTOR}.maxReplicas": 100}),
    ("canary-share", {"maximum": 80}, "iris-route", {"spec.traffic.1.percent": 80}),
    ("disruption-budget", {"replicas": 4}, "iris-budget", {}),
    ("model-source", {"schemes": ["https"]}, "iris", {f"{PREDICTOR}.model.storageUri": "https://example.com/iris/7"}),
    ("model-source", {"protocols": ["v1"]}, "iris", {f"{PREDICTOR}.model.protocolVersion": "v1"}),
    ("pinned-model", {"pattern": "@champion$"}, "iris", {f"{PREDICTOR}.model.storageUri": "mlflow://iris@champion"}),
    ("request-timeout", {"maximum": 90000}, "iris", {f"{PREDICTOR}.timeout": 86400}),
    ("bounded-retries", {"retries": 6}, "load", {"spec.backoffLimit": REMOVED}),
    ("bounded-run-size", {"cores": 200}, "spark", MANY),
    ("bounded-run-size", {"memory": 1000}, "spark", HUGE),
    ("bounded-run-size", {"gpus": 10}, "train", GPU),
    ("bounded-run-time", {"seconds": 100000}, "load", {"spec.activeDeadlineSeconds": 100000}),
    ("gpus-where-allowed", {"namespaces": ["mod*"]}, "train", GPU),
    ("gpus-where-allowed", {"pools": ["gke-*"]}, "gke-general", MACHINES),
    ("monthly-cost", {"stack": 1000000}, "ionos-general", {"coresCount": 1000}),
    ("node-ceiling", {"nodes": 50}, "eks-general", {"scalingConfig.maxSize": 50}),
    ("spot-where-asked", {"pools": []}, "gke-spot", {"nodeConfig.spot": False}),
    ("deprecated-apis", {"kubernetes": "1.21"}, "ingress", OLD),
    ("ownership-labels", {"labels": ["ml-platform/team"]}, "models", {"metadata.labels.ml-platform/owner": REMOVED}),
    ("protected-data", {"allowed": True}, "google", {"protect": False}),
]  # fmt: skip
STRICTER: list[tuple[str, dict[str, Any], str, Changes, str]] = [
    ("bundle-digest", {"groups": ["serving.kserve.io"]}, "kserve-definitions", {"version": "2"}, "no bundle may bring"),
    ("image-registry", {"registries": ["*.test", "ghcr.io/*"]}, "web", {"spec.replicas": 2}, "allowed are *.test, "),
    ("bounded-resources", {"needed": ["limits.cpu"]}, "web", {"spec.replicas": 2}, "no limits.cpu"),
    ("no-plain-secrets", {"names": "^level$"}, "web", {"spec.replicas": 2}, "its variable LEVEL"),
    ("encrypted-buckets", {"own": True}, "google", {"labels": {}}, "no key of its own"),
    ("encrypted-buckets", {"own": True}, "amazon", {"tags": {}}, "nothing says that it is encrypted"),
    ("edge-authentication", {"cloud": "amazon"}, "inner-balancer", {"spec.ports": []}, "it is public"),
    ("edge-authentication", {"cloud": "ionos"}, "inner-balancer", {"spec.ports": []}, "it is public"),
    ("enough-replicas", {"minimum": 4}, "iris", {f"{PREDICTOR}.timeout": 60}, "this environment asks for 4"),
    ("request-timeout", {"default": 900}, "iris", {f"{PREDICTOR}.timeout": REMOVED}, "a timeout of 900 s"),
    ("monthly-cost", {"teams": {"b": 1}}, "web", {"spec.replicas": 2}, "the work of team b may cost"),
    ("monthly-cost", {"teams": {"c": 1}, "label": "ml-platform/cost-centre"}, "web", {"spec.replicas": 2}, "team c"),
    ("no-opaque-installers", {"providers": []}, "spark-outcome", {"timeout": 60}, "a program of its own"),
    ("spot-where-asked", {"pools": ["eks-*"]}, "eks-general", {"capacityType": "ON_DEMAND"}, "set purpose: spot"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "settings", "resource", "changes"), LOOSER)
def test_settings_allow_what_the_policy_refuses(
    policy: str, settings: dict[str, Any], resource: str, changes: Changes
) -> None:
    assert said(policy, resource, changes) != []
    assert said(policy, resource, changes, settings) == []


@pytest.mark.parametrize(("policy", "settings", "resource", "changes", "words"), STRICTER)
def test_settings_refuse_what_the_policy_allows(
    policy: str, settings: dict[str, Any], resource: str, changes: Changes, words: str
) -> None:
    assert said(policy, resource, changes) == []
    assert words in " ".join(said(policy, resource, changes, settings))


def test_each_parameter_is_set_once_at_least() -> None:
    rows = [*((policy, settings) for policy, settings, *_ in LOOSER), *((row[0], row[1]) for row in STRICTER)]
    tried = {(policy, name) for policy, settings in rows for name in settings}
    assert tried == {(policy.name, name) for policy in POLICIES for name in policy.parameters.model_fields}
