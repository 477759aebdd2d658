"""Hosts on the gateway: nobody's get a 404 that names those that are served, MLflow's are answered by MLflow."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import mlflow
import pytest
from ml_platform.components import traefik_answers
from support import recorder
from support.gateway_tree import declare

MLFLOW = "http://mlflow.mlflow.svc.cluster.local:5000"
GIVEN = {"source": "given", "endpoint": "https://s3.example.com", "access_key": "ML"}


def answers(found: recorder.Recorder) -> dict[str, Any]:
    """What Traefik is told of hosts that no Ingress names."""
    files = found.inputs("ConfigMap", "gateway-traefik-answers")["data"]
    return dict(json.loads(files[traefik_answers.ROUTES])["http"])


def text(found: recorder.Recorder) -> str:
    """What Traefik answers where nobody serves a host."""
    return str(answers(found)["middlewares"]["answers"]["plugin"]["answers"]["text"])


def envoys_text(found: recorder.Recorder) -> str:
    """What Envoy answers there."""
    (patch,) = found.inputs("EnvoyFilter", "istio-gateway")["spec"]["configPatches"]
    (answer,) = patch["patch"]["value"]["typed_config"]["local_reply_config"]["mappers"]
    assert answer["filter"] == {"response_flag_filter": {"flags": ["NR"]}}, "of no other answer of Envoy's own"
    return str(answer["body_format_override"]["text_format_source"]["inline_string"])


@pytest.mark.parametrize("gateway", [{"host_port": 8080}, {"domain": "ml.test"}])
def test_no_route_takes_hosts_that_it_does_not_name(gateway: dict[str, Any]) -> None:
    found = declare(gateway)
    domain = gateway.get("domain", "localhost")
    routes = {name: found.inputs("Ingress", name)["spec"]["rules"] for name in ("mlflow", "s3")}
    hosts = {name: [rule["host"] for rule in rules] for name, rules in routes.items()}
    assert hosts == {"mlflow": [f"mlflow.{domain}"], "s3": [f"s3.{domain}", domain]}


@pytest.mark.parametrize(
    ("gateway", "more", "urls"),
    [
        ({"host_port": 8080}, {}, ["http://mlflow.localhost:8080", "http://s3.localhost:8080"]),
        ({"domain": "ml.test"}, {}, ["https://mlflow.ml.test", "https://s3.ml.test"]),
        ({"host_port": 8080}, {"object_store": GIVEN}, ["http://mlflow.localhost:8080"]),
    ],
)
def test_who_asks_for_a_host_of_nobodys_is_told_which_there_are(
    gateway: dict[str, Any], more: dict[str, Any], urls: list[str]
) -> None:
    found = declare(gateway, secrets={"object_store_key": "key"}, **more)
    assert text(found).startswith(f"Nobody serves the host {{host}}. Served are {', '.join(urls)}, and models at http")
    assert answers(found)["routers"]["nobody"] == {
        "rule": "PathPrefix(`/`)", "priority": 1, "middlewares": ["answers"], "service": "noop@internal",
    }  # fmt: skip


@pytest.mark.mirror
@pytest.mark.parametrize("gateway", [{"host_port": 8080}, {"domain": "ml.test"}, {"tls": {"issuer": "none"}}])
def test_behind_istio_the_answer_is_the_same(gateway: dict[str, Any]) -> None:
    found = declare({**gateway, "ingress": "istio"})
    assert envoys_text(found) == text(declare(gateway)).replace("{host}", "%REQ(:AUTHORITY)%")
    spec = found.inputs("EnvoyFilter", "istio-gateway")["spec"]
    (patch,) = spec["configPatches"]
    pods = found.inputs("Deployment", "istio-gateway-istio-ingressgateway")["spec"]["template"]["metadata"]["labels"]
    assert spec["workloadSelector"]["labels"].items() <= pods.items()
    assert patch["match"]["context"] == "GATEWAY"
    assert "portNumber" not in patch["match"]["listener"], "on every port"


@pytest.mark.parametrize(
    ("gateway", "rule"),
    [
        ({"host_port": 8080}, "Host(`127.0.0.1`)"),
        ({"host_port": 8080, "bind": "127.0.0.2"}, "Host(`127.0.0.2`)"),
        ({"host_port": 8080, "domain": "ml.test"}, None),
        ({}, None),
    ],
)
def test_the_bare_address_is_mlflows_where_clients_resolve_no_name(gateway: dict[str, Any], rule: str | None) -> None:
    told = answers(declare(gateway))
    assert told["routers"].get("address") == (rule and {"rule": rule, "service": "mlflow"})
    assert told.get("services") == (rule and {"mlflow": {"loadBalancer": {"servers": [{"url": MLFLOW}]}}})


def test_another_answer_starts_the_gateway_anew() -> None:
    marks = [
        declare({"host_port": 8080}, secrets={"object_store_key": "key"}, **more).inputs(
            "Deployment", "gateway-traefik"
        )
        for more in ({}, {"object_store": GIVEN})
    ]
    one, other = (each["spec"]["template"]["metadata"]["annotations"] for each in marks)
    assert one != other


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("mlflow.localhost:8080", True),
        ("mlflow.localhost", True),
        ("127.0.0.1:8080", True),
        ("127.0.0.1", True),
        ("localhost:6000", True),
        ("localhost", True),
        ("mlflow.mlflow.svc.cluster.local:5000", True),
        ("ml.example.com", True),
        ("ml.example.com:8443", True),
        ("ml.example.org:9443", True),
        ("ml.example.org:8443", False),
        ("example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_mlflow_answers_its_own_names_at_any_port(host: str, answered: bool) -> None:
    chosen = {"allowed_hosts": ["ml.example.com", "ml.example.org:9443"]}
    pod = declare({"host_port": 8080}, mlflow=chosen).inputs("Deployment", "mlflow")["spec"]["template"]["spec"]
    variables = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    allowed = str(variables["MLFLOW_SERVER_ALLOWED_HOSTS"]).split(",")
    guard = runpy.run_path(str(Path(mlflow.__file__).parent / "server" / "security_utils.py"))
    assert guard["is_allowed_host_header"](allowed, host) == answered
