"""An API server that is away for a while, or for good: who waits for it, and what is said and done at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_platform.asking import DELETED, SKIPPED, AwayError, ClusterError
from ml_platform.bundles import definitions, drain, gates
from ml_platform.components import address, leftovers
from ml_platform.kube import Client, KubeError, transport
from ml_workloads import rollout, run_outcome
from ml_workloads.newest import Newest
from support.api_server import Server, kubeconfig, serving

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
AWAY = [503, 500, 0]
SERVICE = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
JOB = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
VERDICT = {"outputs": {"model": "a1b2"}, "accepted": True, "rule": "none", "reason": "", "numbers": {}}
ROUTES: dict[str, Any] = {
    "/api/v1": {
        "resources": [
            {"name": "services", "kind": "Service", "namespaced": True},
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": True},
            {"name": "pods", "kind": "Pod", "namespaced": True},
        ]
    },
    "/api/v1/namespaces/gateway/services/traefik": SERVICE,
    "/api/v1/configmaps": {"items": []},
    "/apis/x.test": {"versions": [{"groupVersion": "x.test/v1"}]},
    "/apis/x.test/v1": {"resources": [{"name": "things"}]},
    "/apis/x.test/v1/things": {"items": [], "metadata": {}},
    "/apis/apiextensions.k8s.io/v1": {
        "resources": [{"name": "customresourcedefinitions", "kind": "CustomResourceDefinition", "namespaced": False}]
    },
    "/apis/batch/v1": {"resources": [{"name": "jobs", "kind": "Job", "namespaced": True}]},
    "/apis/batch/v1/namespaces/models/jobs/iris-1": JOB,
    "/api/v1/namespaces/models/configmaps/iris-1": {"data": {"verdict.json": json.dumps(VERDICT)}},
    "/api/v1/namespaces/models/pods": {"items": []},
    "/apis/serving.kserve.io/v1beta1": {
        "resources": [{"name": "inferenceservices", "kind": "InferenceService", "namespaced": True}]
    },
    "/apis/serving.kserve.io/v1beta1/namespaces/models/inferenceservices/iris": {"status": {}},
    "/api/v1/namespaces/models/services/iris:80/proxy/v2/models/iris/ready": {},
}
PROPS: dict[str, Any] = {
    "namespace": "gateway", "service": "traefik", "address": None, "labels": "a=b", "bundle": "x", "own": [],
    "names": ["things.x.test"], "definitions": ["things.x.test"], "retain": False, "probes": [], "digest": "",
}  # fmt: skip
RUN: dict[str, Any] = {
    "namespace": "models", "run": "iris-1", "timeout": 60, "leaves": "model", "kind": "job", "manifest": "{}",
}  # fmt: skip
MODEL: dict[str, Any] = {
    "namespace": "models", "service": "iris", "part": "predictor", "served": "nothing", "mode": "standard", "mark": "",
    "ready": "/v2/models/iris/ready",
    "setting": "serving.iris.version", "timeout": 60,
}  # fmt: skip

Act = Callable[[dict[str, Any]], object]
WAITS: dict[str, Act] = {
    "an address": lambda known: address._Provider().create({**PROPS, **known}),
    "bundles that work": lambda known: gates._Provider().create({**PROPS, **known}),
    "CRDs that go": lambda known: definitions._Provider().delete("", {**PROPS, **known, "names": ["gone.y.test"]}),
    "objects that go": lambda known: drain._Provider().delete("", {**PROPS, **known}),
    "leftovers that go": lambda known: leftovers._Provider().delete("", {**PROPS, **known}),
    "runs": lambda known: run_outcome._Provider().create({**RUN, **known}),
    "served models": lambda known: rollout._Provider().create({**MODEL, **known}),
}
REMOVALS = ("CRDs that go", "objects that go", "leftovers that go")
REFRESHES: dict[str, Any] = {"an address": address._Provider(), "CRDs": definitions._Provider()}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "RETRY_PAUSE", 0.01)
    monkeypatch.setattr(transport.urllib3.Retry, "sleep", lambda *_: None)
    newest = Newest(name="iris-1", address="iris:80", ready=True, failure=None, pods=[])
    monkeypatch.setattr(rollout, "newest_of", lambda *_: newest)
    for name in (DELETED, SKIPPED):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        for path, answer in ROUTES.items():
            server.on("GET", path, answer)
        yield server


@pytest.mark.parametrize("wait", WAITS)
def test_whoever_waits_waits_for_a_server_that_is_away_as_well(server: Server, wait: str) -> None:
    server.outage = [*AWAY]
    WAITS[wait]({"kubeconfig": kubeconfig(server.url)})
    assert not server.outage


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (address, gates, drain, leftovers):
        monkeypatch.setattr(module, "DEADLINE", -1.0)
    monkeypatch.setattr(definitions, "DEADLINE", 0.5)  # which is that of one request as well
    monkeypatch.setattr("ml_workloads.awaited.PATIENCE", -1.0)
    monkeypatch.setitem(RUN, "timeout", -1)
    monkeypatch.setitem(MODEL, "timeout", -1)


@pytest.mark.usefixtures("no_patience")
@pytest.mark.parametrize("wait", WAITS)
def test_a_server_that_stays_away_is_said_with_what_it_was_asked_and_the_way_out(server: Server, wait: str) -> None:
    server.outage = [503] * 1000
    with pytest.raises(ClusterError, match=r"The cluster can't be asked .*: GET .*HTTP 503.*try again"):
        WAITS[wait]({"kubeconfig": kubeconfig(server.url)})


def test_a_served_model_that_somebody_deleted_is_said_with_the_command_that_makes_it_again(server: Server) -> None:
    server.on("GET", "/apis/serving.kserve.io/v1beta1/namespaces/models/inferenceservices/iris", {}, 404)
    with pytest.raises(rollout.RolloutError, match=r"models/iris is not there: .*`pulumi up --refresh` makes it again"):
        WAITS["served models"]({"kubeconfig": kubeconfig(server.url)})


def test_what_may_have_been_heard_is_said_once(server: Server) -> None:
    client = Client.from_kubeconfig(kubeconfig(server.url), patience=60)
    server.outage = [503, 503]
    with pytest.raises(KubeError, match="HTTP 503"):
        client.request("POST", "/api/v1/namespaces/n/configmaps", body={})
    with pytest.raises(KubeError, match="HTTP 503"):
        client.request("GET", "/api/v1", timeout=5)
    assert len(server.requests) == 2


NOWHERE = {"kubeconfig": kubeconfig("http://127.0.0.1:9")}
BROKEN = {"kubeconfig": kubeconfig("http://127.0.0.1:9").replace('"token": "t0ken"', '"tokenFile": "/nowhere/token"')}


@pytest.mark.usefixtures("no_patience")
@pytest.mark.parametrize("known", [NOWHERE, BROKEN], ids=["no server", "no credentials"])
@pytest.mark.parametrize("removal", REMOVALS)
def test_what_a_deleted_cluster_had_is_dropped_when_the_user_says_that_it_was(
    removal: str, known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AwayError, match=f"If it was deleted: {DELETED}=true pulumi destroy"):
        WAITS[removal](known)
    monkeypatch.setenv(DELETED, "true")
    WAITS[removal](known)


@pytest.mark.parametrize("kind", REFRESHES)
def test_a_refresh_without_an_answer_drops_or_keeps_what_it_knows_as_the_user_says(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, props = REFRESHES[kind], {**PROPS, **NOWHERE}
    monkeypatch.setattr(definitions, "DEADLINE", 0.5)
    with pytest.raises(AwayError, match=DELETED):
        provider.read("id", props)
    monkeypatch.setenv(SKIPPED, "true")
    assert (provider.read("id", props).id, provider.read("id", props).outs) == ("id", props)
    monkeypatch.setenv(DELETED, "true")
    assert provider.read("id", props).id == ""


def test_a_cluster_that_answers_is_asked_whatever_the_user_says(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DELETED, "true")
    server.on("GET", "/api/v1/configmaps", {"items": [{"metadata": {"name": "x", "namespace": "n"}}]})
    server.on("DELETE", "/api/v1/namespaces/n/configmaps/x", {})
    WAITS["leftovers that go"]({"kubeconfig": kubeconfig(server.url)})
    assert server.last[:2] == ("DELETE", "/api/v1/namespaces/n/configmaps/x")


def test_dynamic_resources_get_their_client_where_its_errors_are_explained() -> None:
    sources = [*(ROOT / "platform").rglob("*.py"), *(ROOT / "workloads" / "ml_workloads").rglob("*.py")]
    users = {path.stem for path in sources if "Client.from_kubeconfig(" in path.read_text()}
    assert users == {"asking"}
