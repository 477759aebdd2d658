"""HTTPS on the gateway of the lean platform: switched on by a setting, trusted by who is told to, and off again."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from support import gateway, machine

pytestmark = pytest.mark.usefixtures("platform")

SECURE = {"gateway": {"tls": {"issuer": "self-signed", "host_port": 8443}}}
MLFLOW = "https://mlflow.localhost:8443/health"


@pytest.fixture(scope="module")
def outputs(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    done = machine.up(machine.settings("platform", SECURE, tmp_path_factory.mktemp("settings")))
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    back = machine.up()
    assert back.returncode == 0, back.stdout
    assert gateway.ask("http://mlflow.localhost:8080/health").status == 200


def test_every_url_is_https_and_answers_who_trusts_the_authority_of_the_stack(outputs: dict[str, Any]) -> None:
    assert outputs["prediction_urls"]["iris"].startswith("https://iris.models.localhost:8443/")
    assert outputs["mlflow_url"] == MLFLOW.removesuffix("/health")
    assert gateway.ask(MLFLOW, certificate=outputs["certificate_authority"]).status == 200


def test_who_does_not_trust_it_is_not_let_into_talking(outputs: dict[str, Any]) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        gateway.ask(MLFLOW)


@pytest.mark.parametrize("host", ["mlflow", "iris.models"])
def test_plain_http_is_led_to_the_same_place_by_https(host: str, outputs: dict[str, Any]) -> None:
    answer = gateway.ask(f"http://{host}.localhost:8080/v2/health/ready?a=b")
    assert answer.status in (301, 308)
    assert answer.location == f"https://{host}.localhost:8443/v2/health/ready?a=b"


def test_a_challenge_of_an_authority_is_answered_by_plain_http(outputs: dict[str, Any]) -> None:
    """As cert-manager puts it there: a path of one host, on the plain entry alone."""
    path, name = "/.well-known/acme-challenge/token", "challenge"
    backend = {"service": {"name": "mlflow", "port": {"number": 5000}}}
    rule = {"host": "mlflow.localhost", "http": {"paths": [{"path": path, "pathType": "Exact", "backend": backend}]}}
    marks = {"traefik.ingress.kubernetes.io/router.entrypoints": "web"}
    client = machine.client()
    client.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name, "namespace": "mlflow", "annotations": marks},
            "spec": {"ingressClassName": "traefik", "rules": [rule]},
        },
        field_manager="test",
    )
    try:
        gateway.until_answered(f"http://mlflow.localhost:8080{path}", 404)  # MLflow's own word: it has no such page
        assert gateway.ask("http://mlflow.localhost:8080/.well-known/other").status in (301, 308)
    finally:
        client.delete("networking.k8s.io/v1", "Ingress", name, "mlflow")


def test_make_predict_trusts_the_authority_of_the_stack(outputs: dict[str, Any]) -> None:
    done = machine.make("predict")
    assert done.returncode == 0, done.stdout
    assert "POST https://iris.models.localhost:8443/" in done.stdout
