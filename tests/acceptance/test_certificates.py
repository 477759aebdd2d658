"""The issuers and certificates that the gateway orders, before cert-manager's own kinds on a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.bundles import catalog, definitions
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.pipeline import load
from ml_platform.kube import Client
from support import recorder
from support.control_plane import ControlPlane
from support.gateway_tree import declare
from support.strict import refusal

pytestmark = [pytest.mark.acceptance, pytest.mark.mirror]
SOLVERS: dict[str, Any] = {
    "google": {"provider": "google", "project": "p"},
    "route53": {"provider": "route53", "region": "eu-central-1"},
    "cloudflare": {"provider": "cloudflare"},
    "webhook": {"provider": "webhook", "group": "acme.test", "solver": "test", "config": {"zone": "z", "limit": 3}},
}
ACME = {"email": "ml@example.com", "server": "staging"}
HTTP01 = {"access": ["0.0.0.0/0"], "tls": {"issuer": "acme", "acme": ACME, "hosts": ["iris.models"]}}
STANDARD = {"bundles": {}, "serving": {"mode": "standard"}}
STACKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "self-signed": ({}, {}),
    "existing": ({"tls": {"issuer": "existing", "cluster_issuer": "theirs"}}, {}),
    "http01 by traefik": (HTTP01, {}),
    "http01 by istio": ({"ingress": "istio", **HTTP01}, STANDARD),
    **{name: ({"tls": {"issuer": "acme", "acme": {**ACME, "dns01": solver}}}, {}) for name, solver in SOLVERS.items()},
}


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[Client]:
    with plane.scratch() as client:
        kinds = [item for item in load(catalog.entry("cert-manager")) if item["kind"] == DEFINITION]
        for item in kinds:
            client.apply(item, field_manager="test")
        definitions.await_established(client, [item["metadata"]["name"] for item in kinds], "test")
        for name in ("gateway", "istio-system"):
            client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, field_manager="test")
        yield client


@pytest.mark.parametrize("stack", STACKS)
def test_what_the_gateway_orders_is_what_cert_manager_takes(stack: str, client: Client) -> None:
    gateway, more = STACKS[stack]
    found = declare({"domain": "ml.example.com", **gateway}, {"dns_token": "t"}, certificates="cert-manager", **more)
    ours = [each for each in found.requests.values() if "GatewayCertificate" in each.parent]
    orders = [recorder.inputs(each) for each in ours if each.type.startswith("kubernetes:cert-manager.io")]
    assert "Certificate" in {item["kind"] for item in orders}
    assert [said for item in orders if (said := refusal(client, item, dry_run=True))] == []
