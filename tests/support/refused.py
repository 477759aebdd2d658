"""For each policy a change of the good stack that it refuses.

A change sets a path (`spec.template.spec.containers.0.image`), or removes what is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from support.declared import GOOD, IMAGE, Declared

REMOVED = object()


@dataclass(frozen=True)
class Case:
    """What one policy refuses: resources with changes, and words of its message."""

    policy: str
    resource: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """None at all: the resource is not there."""
    words: str = ""
    about: str = ""
    """The resource that is found fault with, if it is another one."""
    also: tuple[str, ...] = ()
    """Other policies that can't but refuse it too."""


MAIN, PREDICTOR = "spec.template.spec.containers.0", "spec.predictor"
CASES = [
    Case("image-by-digest", "web", {f"{MAIN}.image": "registry.example.com/x:1"}, "container main runs image"),
    Case("no-latest-image", "load", {f"{MAIN}.image": "registry.example.com/x"}, "the tag latest",
         also=("image-by-digest",)),
    Case("image-registry", "data", {f"{MAIN}.image": IMAGE.replace("example", "elsewhere")}, "registry.elsewhere.com"),
    Case("bundle-digest", "kserve-definitions", {"digest": "1234"}, "no sha256"),
    Case("no-opaque-installers", "address", {"type": "pulumi-python:dynamic/own:Address"}, "a program of its own"),
    Case("known-workload", "fleet", {"spec.ship": {"hostNetwork": True}}, "example.com/Fleet is no kind of the pack's",
         also=("host-access",)),
    Case("restricted-pods", "web", {f"{MAIN}.securityContext.capabilities.drop": []}, "capabilities of root"),
    Case("host-access", "web", {"spec.template.spec.hostPID": True}, "hostPID opens the node"),
    Case("bounded-resources", "load", {f"{MAIN}.resources.limits": REMOVED}, "no limits.memory"),
    Case("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": "API_KEY", "value": "x"}}, "its variable API_KEY"),
    Case("no-default-token", "load", {"spec.template.spec.serviceAccountName": REMOVED}, "service account `default`"),
    Case("no-wildcard-rights", "reader", {"rules.0.resources": ["*"]}, "rule 1 has `*` in resources"),
    Case("no-cluster-admin", "readers", {"roleRef.name": "cluster-admin"}, "it makes web cluster-admin"),
    Case("no-cloud-admin", "google-member", {"role": "roles/owner"}, "gives roles/owner"),
    Case("edge-tls", "ingress", {"spec.tls": REMOVED}, "plain text"),
    Case("trusted-edge", "issuer", {"spec.ca": {"secretName": "authority"}}, "makes the stack its own authority"),
    Case("edge-authentication", "tokens", words="asks for a token", about="balancer"),
    Case("private-buckets", "google", {"publicAccessPrevention": "inherited"}, "can be made public"),
    Case("encrypted-buckets", "ionos-encryption", words="nothing says that it is encrypted", about="ionos"),
    Case("versioned-buckets", "amazon-versions", words="what is overwritten in it is lost", about="amazon"),
    Case("api-server-access", "eks", {"vpcConfig.publicAccessCidrs": ["0.0.0.0/0"]}, "open to 0.0.0.0/0"),
    Case("bounded-replicas", "iris", {f"{PREDICTOR}.maxReplicas": 21}, "maxReplicas 21;"),
    Case("enough-replicas", "iris", {f"{PREDICTOR}.minReplicas": 2}, "minReplicas 2;"),
    Case("disruption-budget", "iris-budget", words="PodDisruptionBudget", about="iris"),
    Case("bounded-concurrency", "iris", {f"{PREDICTOR}.scaleTarget": REMOVED}, "neither containerConcurrency nor"),
    Case("request-timeout", "iris", {f"{PREDICTOR}.timeout": 86400}, "a timeout of 86400 s"),
    Case("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": "mlflow://iris@champion"}, "names no version"),
    Case("model-source", "iris", {f"{PREDICTOR}.model.protocolVersion": "v1"}, "protocol v1"),
    Case("canary-share", "iris-route", {"spec.traffic.1.percent": 80}, "iris-canary-predictor gets 80 %"),
    Case("bounded-run-size", "spark", {"spec.executor.instances": 100}, "101 of cores"),
    Case("bounded-run-time", "load", {"spec.activeDeadlineSeconds": REMOVED}, "it has no deadline"),
    Case("bounded-retries", "load", {"spec.backoffLimit": REMOVED}, "tried again 6 times"),
    Case("no-time-to-live", "load", {"spec.ttlSecondsAfterFinished": 60}, "gone 60 s after its end"),
    Case("node-ceiling", "eks-general", {"scalingConfig.maxSize": 50}, "may grow to 50 nodes"),
    Case("gpus-where-allowed", "train", {"spec.trainer.resourcesPerNode.limits": {"nvidia.com/gpu": 1, "memory": "1G"}},
         "asks for GPUs in namespace models"),
    Case("spot-where-asked", "gke-spot", {"nodeConfig.spot": False}, "is not; set purpose: spot"),
    Case("monthly-cost", "ionos-general", {"coresCount": 1000}, "the stack may cost"),
    Case("known-cost", "gke-general", {"nodeConfig.machineType": "z9-huge"}, "no price for its machines, 'z9-huge'"),
    Case("ownership-labels", "models", {"metadata.labels.ml-platform/owner": REMOVED}, "no ml-platform/owner"),
    Case("protected-data", "data", {"protect": False}, "one `pulumi destroy` removes it"),
    Case("deprecated-apis", "ingress", {"apiVersion": "networking.k8s.io/v1beta1"}, "Kubernetes 1.22 and later"),
    Case("bounded-namespaces", "quota", words="a quota", about="models"),
]  # fmt: skip
"""One for each policy; together they break all of them at once."""


def changed(cases: Iterable[Case]) -> dict[str, Declared]:
    """The good stack, broken by these."""
    found = dict(GOOD)
    for case in cases:
        if not case.changes:
            del found[case.resource]
            continue
        declared = found[case.resource]
        props = json.loads(json.dumps(declared.props))
        protect = case.changes.get("protect", declared.protect)
        for path, value in case.changes.items():
            if path not in ("protect", "type"):
                put(props, path, value)
        found[case.resource] = replace(
            declared, props=props, protect=protect, type=case.changes.get("type", declared.type)
        )
    return found


def put(tree: Any, path: str, value: Any) -> None:
    *steps, last = path.split(".") if "/" not in path else _labelled(path)
    for step in steps:
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    key: Any = int(last) if isinstance(tree, list) else last
    if value is REMOVED:
        del tree[key]
    else:
        tree[key] = value


def _labelled(path: str) -> list[str]:
    """Names of labels have no dots here, but slashes: they are the last step."""
    head, _, label = path.rpartition(".")
    return [*head.split("."), label]
