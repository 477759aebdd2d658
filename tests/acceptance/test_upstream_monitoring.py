"""What a Prometheus Operator is asked for, before the kinds of its own release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ml_platform.bundles import definitions
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.pipeline import load
from ml_platform.kube import Client
from ml_platform.metrics import alerts, monitors
from ml_platform.metrics.targets import Target, targets
from support import chosen, mirrored, strict
from support.control_plane import ControlPlane

RELEASE = "kube-prometheus-stack"
KINDS = ("PodMonitor", "PrometheusRule")
META = {"name": "asked", "namespace": "monitoring", "labels": {"release": "stack"}}
TARGETS = [
    *targets(chosen.platform(monitoring={})),
    *targets(chosen.platform(monitoring={}, gateway={"ingress": "istio"}, serving={"mode": "standard"})),
]


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[Client]:
    """Of a cluster that has the kinds of the Prometheus Operator."""
    with plane.scratch() as client:
        release = next(each for each in mirrored.releases() if each.name == RELEASE)
        items = load(release, mirrored.mirror())
        kinds = [item for item in items if item["kind"] == DEFINITION and item["spec"]["names"]["kind"] in KINDS]
        for kind in kinds:
            client.apply(kind, field_manager="test")
        definitions.await_established(client, [kind["metadata"]["name"] for kind in kinds], RELEASE)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": META["namespace"]}}
        client.create(namespace, field_manager="test")
        yield client


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.job} {target.namespace or 'everywhere'}")
def test_a_monitor_is_one_that_the_operators_kind_takes(target: Target, client: Client) -> None:
    assert strict.refusal(client, monitors.pod_monitor(target, META, "15s"), dry_run=True) is None


def test_the_alerts_are_those_that_its_kind_takes(client: Client) -> None:
    chosen_ones = alerts.alerts(TARGETS)
    assert strict.refusal(client, monitors.prometheus_rule(chosen_ones, META), dry_run=True) is None


def test_a_field_that_the_kind_has_not_is_noticed(client: Client) -> None:
    item = monitors.pod_monitor(TARGETS[0], META, "15s")
    item["spec"]["podMetricsEndpoints"][0]["colour"] = "red"
    assert "colour" in str(strict.refusal(client, item, dry_run=True))
