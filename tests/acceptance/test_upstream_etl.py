"""Spark applications as the workloads declare them, before the kinds of either operator's own release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.bundles import definitions
from ml_platform.handle import SparkOperator
from ml_platform.kube import Client, KubeError
from support import etl, mirrored
from support.control_plane import ControlPlane

DEFINED_BY: dict[SparkOperator, str] = {"kubeflow": "spark-operator", "stackable": "stackable-spark-k8s-operator-crds"}
OWN = f"registry.test/mine@sha256:{'1' * 64}"
SETTINGS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "with everything": {
        "image": OWN,
        "spark_version": "4.0.4",
        "application": "/opt/mine/main.py",
        "event_log": "datasets",
        "driver": {"cpu": "1", "cpu_limit": "2", "memory": "1Gi"},
        "executor": {"cpu": "1", "cpu_limit": "2", "memory": "2Gi", "instances": 2, "max_instances": 4},
    },
}


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[Client]:
    """Of a cluster that has the kinds of both operators."""
    with plane.scratch() as client:
        for name in DEFINED_BY.values():
            kinds = mirrored.definitions_by(name)
            for kind in kinds:
                client.apply(kind, field_manager="test")
            definitions.await_established(client, [kind["metadata"]["name"] for kind in kinds], name)
        client.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "spark-jobs"}}, field_manager="test"
        )
        yield client


def put(client: Client, item: dict[str, Any]) -> None:
    """As a dry run that refuses fields which the kind's schema does not have."""
    path = client.resource(item["apiVersion"], item["kind"]).path("spark-jobs", item["metadata"]["name"])
    params = {"fieldManager": "test", "fieldValidation": "Strict", "dryRun": "All"}
    headers = {"Content-Type": "application/apply-patch+yaml"}
    client.request("PATCH", path, params=params, body=item, headers=headers)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("operator", DEFINED_BY)
def test_the_application_is_one_that_the_operators_kind_takes(
    operator: SparkOperator, settings: dict[str, Any], client: Client
) -> None:
    put(client, etl.application(operator, **settings))


@pytest.mark.parametrize("operator", DEFINED_BY)
def test_a_field_that_the_kind_has_not_is_noticed(operator: SparkOperator, client: Client) -> None:
    item = etl.application(operator)
    item["spec"]["driver"]["colour"] = "red"
    with pytest.raises(KubeError, match=r"\.spec\.driver\.colour"):
        put(client, item)
