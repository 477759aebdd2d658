"""Ray jobs as the workloads declare them, before the kind of KubeRay's own release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.bundles import definitions
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.pipeline import load
from ml_platform.kube import Client
from support import mirrored, strict, tuning
from support.control_plane import ControlPlane

SETTINGS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "with everything": {
        "trials": 5,
        "at_once": 4,
        "retries": 0,
        "timeout": 3600,
        "resources": {"cpu": "2", "cpu_limit": "8", "memory": "4Gi", "memory_limit": "8Gi"},
    },
}


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[Client]:
    """Of a cluster that has the kinds of KubeRay."""
    with plane.scratch() as client:
        release = next(each for each in mirrored.releases() if each.name == "kuberay")
        kinds = [item for item in load(release, mirrored.mirror()) if item["kind"] == DEFINITION]
        for kind in kinds:
            client.apply(kind, field_manager="test")
        definitions.await_established(client, [kind["metadata"]["name"] for kind in kinds], "kuberay")
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "models"}}, field_manager="test")
        yield client


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_ray_job_is_one_that_kuberays_kind_takes(settings: dict[str, Any], client: Client) -> None:
    assert strict.refusal(client, tuning.ray_job(**settings), dry_run=True) is None


def test_a_field_that_the_kind_has_not_is_noticed(client: Client) -> None:
    item = tuning.ray_job()
    item["spec"]["rayClusterSpec"]["headGroupSpec"]["colour"] = "red"
    refusal = strict.refusal(client, item, dry_run=True)
    assert ".spec.rayClusterSpec.headGroupSpec.colour" in str(refusal)
