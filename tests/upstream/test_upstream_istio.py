"""Istio as released in front of everything, with TLS and tokens, and models in KServe's Standard mode behind it."""

from __future__ import annotations

import json
import ssl
import time
from base64 import b64decode
from typing import Any

import pytest
from ml_local import paths
from ml_platform.kube import KubeError
from support import batch, gateway, machine, tokens
from support.flowers import FLOWERS
from support.node_stack import NodeStack, assert_leaves_nothing, assert_settled, assert_undisturbed, bring_up

CONFIG = paths.checkout() / "tests" / "stacks" / "istio.yaml"
MODEL = "https://iris-predictor.models.localhost:8443"
MLFLOW = "https://mlflow.localhost:8443"


@pytest.fixture(scope="module")
def stack() -> NodeStack:
    return bring_up(CONFIG)


@pytest.fixture(scope="module")
def certificate(stack: NodeStack) -> str:
    """The one that the stack has issued for its gateway."""
    found = machine.client().get("v1", "Secret", "gateway-tls", "istio-system")
    return b64decode(found["data"]["tls.crt"]).decode()


@pytest.mark.parametrize("species", FLOWERS)
def test_a_model_in_standard_mode_says_what_it_says_on_the_lean_platform(species: str, certificate: str) -> None:
    url = machine.outputs()["prediction_urls"]["iris"]
    assert url == f"{MODEL}/v2/models/iris/infer"
    answer = gateway.ask(url, certificate=certificate, token=tokens.token(), body=gateway.rows(FLOWERS[species]))
    assert answer.status == 200, answer.text
    assert json.loads(answer.text)["outputs"][0]["data"] == [species.lower().removeprefix("iris-")]


def test_plain_http_is_led_to_https(stack: NodeStack) -> None:
    answer = gateway.ask("http://mlflow.localhost:8080/health")
    assert answer.status in (301, 308)
    assert answer.location == f"{MLFLOW}/health"


def test_what_answers_has_the_certificate_of_the_stack_and_no_other(certificate: str) -> None:
    assert gateway.ask(f"{MLFLOW}/health", certificate=certificate).status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        gateway.ask(f"{MLFLOW}/health")


def bearer(case: str) -> str | None:
    past = int(time.time()) - 600
    return {
        "no token": None,
        "a good one": tokens.token(),
        "another key": tokens.token(key="another"),
        "expired": tokens.token(iat=past - 600, exp=past),
        "another issuer": tokens.token(iss="https://elsewhere.example.com"),
        "for others": tokens.token(aud="others"),
        "no token at all": "not.a.token",
    }[case]


@pytest.mark.parametrize("url", [f"{MODEL}/v2/health/ready", f"{MLFLOW}/version"], ids=["model", "mlflow"])
@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("no token", 403),
        ("a good one", 200),
        ("another key", 401),
        ("expired", 401),
        ("another issuer", 401),
        ("for others", 403),
        ("no token at all", 401),
    ],
)
def test_who_may_pass(case: str, status: int, url: str, certificate: str) -> None:
    assert gateway.ask(url, certificate=certificate, token=bearer(case)).status == status


def test_what_is_public_needs_no_token(certificate: str) -> None:
    assert gateway.ask(f"{MLFLOW}/health", certificate=certificate).status == 200


def test_a_wrong_object_is_refused_by_istio(stack: NodeStack) -> None:
    meta = {"name": "refused", "namespace": "default"}
    route = {"hosts": ["a.test"], "http": [{"route": [{"destination": {"host": "a"}, "weight": 10}], "retries": {}}]}
    wrong: dict[str, Any] = {"kind": "VirtualService", "metadata": meta, "spec": {**route, "gateways": ["not/a/name"]}}
    with pytest.raises(KubeError, match=r'admission webhook "[a-z.]*validation.istio.io" denied the request'):
        machine.client().create(
            {"apiVersion": "networking.istio.io/v1", **wrong}, field_manager=batch.MANAGER, dry_run=True
        )


def test_a_second_up_finds_nothing_to_do(stack: NodeStack) -> None:
    assert_settled(stack)


def test_what_controllers_fill_in_is_no_difference(stack: NodeStack) -> None:
    assert_undisturbed(stack)


def test_the_whole_stack_goes_and_leaves_nothing(stack: NodeStack) -> None:
    assert_leaves_nothing(stack)
