"""The policies as tables: what passes, what is refused, and with which words."""

from __future__ import annotations

from typing import Any

import pytest
from ml_policies import POLICIES, bounded_replicas, host_access, image_by_digest

DIGEST = "registry.test/x@sha256:" + "0" * 64


def container(**changes: Any) -> dict[str, Any]:
    return {"name": "main", "image": DIGEST, **changes}


def deployment(*containers: dict[str, Any], **pod: Any) -> dict[str, Any]:
    spec = {"containers": list(containers or [container()]), **pod}
    metadata = {"annotations": pod.pop("annotations", {})}
    return {"kind": "Deployment", "spec": {"template": {"metadata": metadata, "spec": spec}}}


def service(**predictor: Any) -> dict[str, Any]:
    return {"kind": "InferenceService", "spec": {"predictor": predictor}}


CONFIG_MAP = {"kind": "ConfigMap", "data": {"image": "x:latest"}}
PRIVILEGED = deployment(container(securityContext={"privileged": True}))
HOST_PATH = deployment(volumes=[{"name": "root", "hostPath": {"path": "/"}}])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("manifest", [CONFIG_MAP, deployment(), service(maxReplicas=2, model={})])
def test_what_is_in_order_passes(policy: Any, manifest: dict[str, Any]) -> None:
    assert list(policy.check(manifest)) == []


def test_an_image_that_istio_fills_in_is_no_image_yet() -> None:
    injected = deployment(container(image="auto"), annotations={"inject.istio.io/templates": "gateway"})
    assert list(image_by_digest.check(injected)) == []
    assert list(image_by_digest.check(deployment(container(image="auto"))))


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (deployment(container(image="postgres:15")), "'postgres:15', which can change"),
        (deployment(container(), container(name="side", image="x")), "container side"),
        (deployment(initContainers=[container(name="first", image="x:1")]), "container first"),
        ({"kind": "Pod", "spec": {"containers": [container(image="x@sha256:12")]}}, "container main"),
        (
            {"kind": "CronJob", "spec": {"jobTemplate": {"spec": deployment(container(image="x"))["spec"]}}},
            "container main",
        ),
        (service(maxReplicas=1, containers=[container(image="x:latest")]), "'x:latest'"),
    ],
)
def test_an_image_without_a_digest_is_refused(manifest: dict[str, Any], words: str) -> None:
    (problem,) = image_by_digest.check(manifest)
    assert words in problem
    assert "@sha256:<digest>" in problem


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (PRIVILEGED, "container main is privileged"),
        (HOST_PATH, "volume root is the node's path /"),
        (deployment(hostNetwork=True), "hostNetwork opens the node"),
        (deployment(hostPID=True), "hostPID opens the node"),
    ],
)
def test_access_to_the_node_is_refused(manifest: dict[str, Any], words: str) -> None:
    (problem,) = host_access.check(manifest)
    assert words in problem
    assert "ml-policies/host-access" in problem


@pytest.mark.parametrize("manifest", [PRIVILEGED, HOST_PATH])
def test_a_reason_exempts(manifest: dict[str, Any]) -> None:
    template = manifest["spec"]["template"]
    exempt = {**template, "metadata": {"annotations": {"ml-policies/host-access": "reads the node's GPUs"}}}
    assert list(host_access.check({**manifest, "spec": {"template": exempt}})) == []


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (service(model={}), "no maxReplicas"),
        (service(maxReplicas=0), "no maxReplicas"),
        (service(maxReplicas=21.0), "maxReplicas 21;"),
        ({"kind": "InferenceService", "spec": {"predictor": {"maxReplicas": 1}, "transformer": {}}}, "its transformer"),
    ],
)
def test_a_served_model_without_a_bound_is_refused(manifest: dict[str, Any], words: str) -> None:
    (problem,) = bounded_replicas.check(manifest)
    assert words in problem
    assert "from 1 to 20" in problem
