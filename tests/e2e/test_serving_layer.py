"""What Knative Serving does behind the gateway: hosts, shares of traffic, privacy, scaling to zero."""

from __future__ import annotations

import collections
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from ml_local import paths
from ml_platform.kube import Client, KubeError
from support import gateway, machine
from support.until import until

pytestmark = pytest.mark.usefixtures("platform")

NAMESPACE = "test-serving"
API = "serving.knative.dev/v1"
GATEWAY = "http://127.0.0.1:8080"
ECHO = """
import http.server, os
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["K_SERVICE"].encode())
http.server.ThreadingHTTPServer(("", 8080), Echo).serve_forever()
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    client = machine.client()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    client.apply(space, field_manager="test")
    yield client
    client.delete("v1", "Namespace", NAMESPACE)


@pytest.fixture(scope="module")
def services(client: Client) -> Client:
    """Two small servers that answer /ping, the second one seen from inside only."""
    for name, visibility in (("one", "external"), ("two", "external"), ("inner", "cluster-local")):
        client.apply(service(name, visibility), field_manager="test")
    for name in ("one", "two", "inner"):
        until(partial(ready, client, "Service", name), f"Knative Service {name} is not ready")
    return client


def test_a_service_answers_under_its_own_host_soon_after_it_is_ready(services: Client) -> None:
    gateway.until_answered(f"http://one.{NAMESPACE}.localhost:8080", 200, "one")


def test_a_route_shares_requests_between_two_services_as_declared(services: Client) -> None:
    traffic = [
        {"configurationName": "one", "percent": 80},
        {"configurationName": "two", "percent": 20, "tag": "canary"},
    ]
    metadata = {"name": "both", "namespace": NAMESPACE}
    route = {"apiVersion": API, "kind": "Route", "metadata": metadata, "spec": {"traffic": traffic}}
    services.apply(route, field_manager="test")
    until(lambda: ready(services, "Route", "both"), "the route is not ready")
    gateway.until_answered(f"http://both.{NAMESPACE}.localhost:8080", 200)
    gateway.until_answered(f"http://canary-both.{NAMESPACE}.localhost:8080", 200)
    shares = collections.Counter(get(f"both.{NAMESPACE}.localhost") for _ in range(50))
    assert shares.keys() == {(200, "one"), (200, "two")}
    assert shares[200, "two"] == pytest.approx(10, abs=1)  # the gateway takes turns, and begins anew with other routes
    assert {get(f"canary-both.{NAMESPACE}.localhost") for _ in range(5)} == {(200, "two")}


def test_a_private_service_is_not_on_the_public_port(services: Client) -> None:
    host = f"inner.{NAMESPACE}.svc.cluster.local"
    (pod,) = services.list("v1", "Pod", "gateway", labels="app=traefik")
    inside = f"http://{pod['status']['podIP']}:8081"
    until(lambda: get(host, inside) == (200, "inner"), f"{host} does not answer inside", 20)
    assert get(host)[1] != "inner"


@pytest.mark.parametrize("host", ["mlflo.localhost", "inner.test-serving.localhost", "example.com"])
def test_a_host_that_nobody_serves_gets_a_404_with_those_that_are(host: str, platform: dict[str, Any]) -> None:
    answer = gateway.ask(f"http://{host}:8080/some/page")
    assert answer.status == 404
    assert f"Nobody serves the host {host}:8080. " in answer.text
    assert platform["mlflow_url"] in answer.text
    assert "http://s3.localhost:8080" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "mlflow.localhost"])
def test_mlflow_answers_at_its_name_and_at_the_bare_address(host: str) -> None:
    assert gateway.ask(f"http://{host}:8080/api/2.0/mlflow/experiments/search?max_results=1").status == 200


def test_what_nobody_uses_goes_and_comes_back_with_the_next_request(services: Client) -> None:
    until(lambda: not pods(services, "one"), "still there without requests", 120)
    assert get(f"one.{NAMESPACE}.localhost") == (200, "one")


def test_a_value_that_knative_cannot_read_is_refused(services: Client) -> None:
    bad = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "config-autoscaler", "namespace": "knative-serving"},
        "data": {"stable-window": "soon"},
    }
    with pytest.raises(KubeError, match="soon"):
        services.apply(bad, field_manager="test", force=True, dry_run=True)


def service(name: str, visibility: str) -> dict[str, Any]:
    container = {
        "image": json.loads((paths.state() / "images.json").read_text())["training"],
        "command": ["tini", "--", "python", "-c", ECHO],
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    labels = {"networking.knative.dev/visibility": visibility} if visibility == "cluster-local" else {}
    return {
        "apiVersion": API,
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def get(host: str, server: str = GATEWAY) -> tuple[int, str]:
    """Status and body of a request for `host`."""
    try:
        request = urllib.request.Request(server, headers={"Host": host})
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def ready(client: Client, kind: str, name: str) -> bool:
    conditions = client.get(API, kind, name, NAMESPACE).get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def pods(client: Client, name: str) -> list[Any]:
    """Those that are wanted; one that ends lets its requests finish for a while."""
    found = client.list("v1", "Pod", NAMESPACE, labels=f"serving.knative.dev/service={name}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
