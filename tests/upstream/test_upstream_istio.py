"""Istio as released in front of everything, with TLS and tokens, and models in KServe's Standard mode behind it."""

from __future__ import annotations

import json
import ssl
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_local import paths
from ml_platform.kube import KubeError
from support import batch, gateway, machine, tokens
from support.flowers import FLOWERS
from support.node_stack import NodeStack, assert_leaves_nothing, assert_settled, assert_undisturbed, bring_up

CONFIG = paths.checkout() / "tests" / "stacks" / "istio.yaml"
MODEL = "https://iris.models.localhost:8443"
CANARY = "https://canary-iris.models.localhost:8443"
INFER = "/v2/models/iris/infer"
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
    assert url == f"{MODEL}{INFER}"
    answer = gateway.ask(url, certificate=certificate, token=tokens.token(), body=gateway.rows(FLOWERS[species]))
    assert answer.status == 200, answer.text
    assert json.loads(answer.text)["outputs"][0]["data"] == [species.lower().removeprefix("iris-")]


@pytest.fixture
def tried(stack: NodeStack, certificate: str) -> Iterator[int]:
    """Another version with the files of the champion, judged as they are; afterwards it is served no more."""
    api, may = f"{MLFLOW}/api/2.0/mlflow", {"certificate": certificate, "token": tokens.token()}
    answer = gateway.ask(f"{api}/registered-models/alias?name=iris&alias=champion", **may)
    champion = json.loads(answer.text)["model_version"]
    kept = {"source": champion["source"], "model_id": champion["source"].rpartition("/")[2]}
    body = {"name": "iris", "run_id": champion["run_id"], "tags": champion["tags"], **kept}
    made = gateway.ask(f"{api}/model-versions/create", body=body, **may)
    yield int(json.loads(made.text)["model_version"]["version"])
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout
    assert answering(MODEL, certificate, 20) == {"1": 20}


def answering(host: str, certificate: str, count: int) -> Counter[str]:
    """How many of `count` requests each version answers."""
    body, may = gateway.rows(FLOWERS["Iris-setosa"]), {"certificate": certificate, "token": tokens.token()}
    answers = [gateway.ask(f"{host}{INFER}", body=body, **may) for _ in range(count)]
    assert {each.status for each in answers} == {200}
    return Counter(json.loads(each.text)["model_version"] for each in answers)


def test_a_canary_gets_its_share_and_has_a_host_of_its_own(
    stack: NodeStack, certificate: str, tried: int, tmp_path: Path
) -> None:
    canary = {"version": tried, "percent": 10}
    done = machine.up(machine.settings("workloads", {"serving": {"iris": {"canary": canary}}}, tmp_path, stack.config))
    assert done.returncode == 0, done.stdout
    assert answering(CANARY, certificate, 10) == {str(tried): 10}
    # Envoy draws lots.
    assert answering(MODEL, certificate, 500)[str(tried)] / 500 == pytest.approx(0.10, abs=0.06)


@pytest.mark.long
def test_a_canary_of_a_version_that_is_not_there_changes_nothing(
    stack: NodeStack, certificate: str, tmp_path: Path
) -> None:
    missing = {"serving": {"iris": {"canary": {"version": 999}}}}
    done = machine.up(machine.settings("workloads", missing, tmp_path, stack.config))
    assert done.returncode != 0
    assert "MLflow has no version 999 of a registered model 'iris'" in done.stdout
    assert answering(MODEL, certificate, 20) == {"1": 20}
    assert machine.up(stack.config).returncode == 0


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


def test_a_host_that_nobody_serves_is_answered_with_those_that_are_served(certificate: str) -> None:
    answer = gateway.ask("https://nobody.models.localhost:8443/any", certificate=certificate, token=tokens.token())
    assert answer.status == 404
    assert answer.text.startswith(
        "Nobody serves the host nobody.models.localhost:8443. Served are https://mlflow.localhost:8443, "
        "https://s3.localhost:8443, and models at https://<model>.<namespace>.localhost:8443"
    )


def test_what_a_service_itself_does_not_find_is_answered_in_its_own_words(certificate: str) -> None:
    answer = gateway.ask(f"{MODEL}/v2/models/another/ready", certificate=certificate, token=tokens.token())
    assert answer.status == 404
    assert "Nobody serves" not in answer.text


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
