"""Two versions of a model and the one route to both, as they are declared in each serving mode."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.handle import ServingMode
from support import recorder
from support.serving import ISVC, declare

CANARY = {"canary": {"version": 4, "percent": 10}}
MODES: list[ServingMode] = ["knative", "standard"]
ROUTES = {"knative": "Route", "standard": "HTTPRoute"}


def after(tree: recorder.Recorder, kind: str, name: str) -> set[str]:
    """The types and names of what comes before a resource."""
    named = (
        urn.rpartition("::")[2] + " " + urn.split("::")[2].rpartition(":")[2]
        for urn in tree.find(kind, name).dependencies
    )
    return set(named)


@pytest.mark.parametrize("mode", MODES)
def test_each_version_is_an_inference_service_that_answers_to_the_same_path(mode: ServingMode) -> None:
    tree = declare(mode, **CANARY)
    found = {name: tree.inputs(ISVC, name) for name in ("iris", "iris-canary")}
    models = {name: each["spec"]["predictor"]["model"] for name, each in found.items()}
    assert {name: model["storageUri"] for name, model in models.items()} == {
        "iris": "mlflow://iris/3",
        "iris-canary": "mlflow://iris/4",
    }
    assert {name: model["env"][0]["value"] for name, model in models.items()} == {"iris": "3", "iris-canary": "4"}
    assert {each["metadata"]["labels"]["ml-platform/model"] for each in found.values()} == {"iris"}


@pytest.mark.parametrize(
    ("mode", "label"), [("knative", "networking.knative.dev"), ("standard", "networking.kserve.io")]
)
def test_only_the_route_leads_to_them_from_outside(mode: ServingMode, label: str) -> None:
    for name in ("iris", "iris-canary"):
        labels = declare(mode, **CANARY).inputs(ISVC, name)["metadata"]["labels"]
        assert labels[f"{label}/visibility"] == "cluster-local"


def test_with_knative_a_route_shares_the_requests_and_has_a_host_for_the_canary() -> None:
    assert declare("knative", **CANARY).inputs("Route", "iris-route")["spec"]["traffic"] == [
        {"configurationName": "iris-predictor", "latestRevision": True, "percent": 90},
        {"configurationName": "iris-canary-predictor", "latestRevision": True, "percent": 10, "tag": "canary"},
    ]


def test_in_standard_mode_http_routes_do() -> None:
    tree = declare("standard", **CANARY)
    shared, alone = (tree.inputs("HTTPRoute", f"{name}-route")["spec"] for name in ("iris", "canary-iris"))
    assert shared["hostnames"] == ["iris.models.test"]
    assert shared["parentRefs"] == alone["parentRefs"] == [{"name": "entry", "namespace": "edge"}]
    weights = {each["name"]: each["weight"] for each in shared["rules"][0]["backendRefs"]}
    assert weights == {"iris-predictor": 90, "iris-canary-predictor": 10}
    assert alone["hostnames"] == ["canary-iris.models.test"]
    assert [each["name"] for each in alone["rules"][0]["backendRefs"]] == ["iris-canary-predictor"]


@pytest.mark.parametrize("mode", MODES)
def test_without_a_canary_the_same_route_leads_to_the_one_version(mode: ServingMode) -> None:
    tree = declare(mode)
    spec = tree.inputs(ROUTES[mode], "iris-route")["spec"]
    shares = spec["traffic"] if mode == "knative" else spec["rules"][0]["backendRefs"]
    assert [each.get("percent", each.get("weight")) for each in shares] == [100]
    assert tree.inputs("Traffic", "iris")["shares"] == {"iris": 100}
    assert not [request for request in tree.requests.values() if "canary" in request.name]


@pytest.mark.parametrize("mode", MODES)
def test_the_route_waits_until_both_serve_and_the_url_until_the_route_leads_there(mode: ServingMode) -> None:
    tree = declare(mode, **CANARY)
    assert {"iris Rollout", "iris-canary Rollout"} <= after(tree, ROUTES[mode], "iris-route")
    assert f"iris-route {ROUTES[mode]}" in after(tree, "Traffic", "iris")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("serving", [{}, CANARY], ids=["alone", "with a canary"])
def test_the_url_is_the_same_with_a_canary_and_without(mode: ServingMode, serving: dict[str, Any]) -> None:
    urls = declare(mode, **serving).exports["prediction_urls"]
    assert urls == {"iris": "http://iris.models.test/v2/models/iris/infer"}


def test_pods_of_the_cluster_and_clients_of_protocol_v1_have_urls_of_their_own() -> None:
    found = {mode: declare(mode, **CANARY).exports for mode in MODES}
    inside = {"iris": "http://iris.models.svc.cluster.local/v2/models/iris/infer"}
    assert [found[mode]["cluster_urls"] for mode in MODES] == [inside, {}]
    assert {str(found[mode]["v1_urls"]) for mode in MODES} == {
        str({"iris": "http://iris.models.test/v1/models/iris:predict"})
    }


@pytest.mark.parametrize("mode", MODES)
def test_the_canary_has_a_url_of_its_own_while_there_is_one(mode: ServingMode) -> None:
    urls = [declare(mode, **serving).exports["canary_urls"] for serving in ({}, CANARY)]
    assert urls == [{}, {"iris": "http://canary-iris.models.test/v2/models/iris/infer"}]


@pytest.mark.parametrize("mode", MODES)
def test_of_several_replicas_of_a_version_one_at_a_time_may_be_taken_away(mode: ServingMode) -> None:
    budget = "PodDisruptionBudget"
    tree = declare(mode, min_replicas=2, **CANARY)
    found = {name: tree.inputs(budget, f"{name}-budget")["spec"] for name in ("iris", "iris-canary")}
    label = "serving.kserve.io/inferenceservice"
    assert found == {name: {"maxUnavailable": 1, "selector": {"matchLabels": {label: name}}} for name in found}
    assert not [request for request in declare(mode, **CANARY).requests.values() if request.type.endswith(budget)]
