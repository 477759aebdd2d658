"""What a served model asks of KServe in each serving mode, on a platform of which only its handle is there."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.handle import ServingMode
from support import recorder
from support.serving import ISVC, declare


def annotations(tree: recorder.Recorder) -> dict[str, str]:
    """Of the served model, as far as KServe acts on them."""
    found = tree.inputs(ISVC, "iris")["metadata"]["annotations"]
    return {name: value for name, value in found.items() if not name.startswith("pulumi.com/")}


def predictor(mode: ServingMode, **serving: Any) -> dict[str, Any]:
    found: dict[str, Any] = declare(mode, **serving).inputs(ISVC, "iris")["spec"]["predictor"]
    return found


@pytest.mark.parametrize(
    ("serving", "metric", "target"),
    [
        ({}, "concurrency", 20),
        ({"scale_target": 7}, "concurrency", 7),
        ({"container_concurrency": 5}, "concurrency", 5),
        ({"scale_metric": "rps"}, "rps", 100),
        ({"scale_metric": "rps", "scale_target": 300}, "rps", 300),
    ],
)
def test_with_knative_requests_decide_how_many_replicas_there_are(
    serving: dict[str, Any], metric: str, target: int
) -> None:
    found = predictor("knative", **serving)
    assert (found["scaleMetric"], found["scaleTarget"]) == (metric, target)
    assert found.get("containerConcurrency") == serving.get("container_concurrency")
    assert annotations(declare("knative", **serving))["serving.kserve.io/deploymentMode"] == "Knative"


@pytest.mark.parametrize(
    ("serving", "burst"),
    [({}, "0"), ({"min_replicas": 0}, "0"), ({"scale_metric": "rps"}, "0"), ({"container_concurrency": 5}, None)],
)
def test_requests_pass_knatives_activator_only_where_they_may_have_to_wait(
    serving: dict[str, Any], burst: str | None
) -> None:
    found = annotations(declare("knative", **serving))
    assert found.get("autoscaling.knative.dev/target-burst-capacity") == burst
    assert "autoscaling.knative.dev/target-burst-capacity" not in annotations(declare("standard"))


@pytest.mark.parametrize(("most", "scaler"), [(1, "none"), (4, "hpa")])
def test_in_standard_mode_only_a_range_of_replicas_needs_an_autoscaler(most: int, scaler: str) -> None:
    tree = declare("standard", max_replicas=most)
    metrics = {"scaleMetric", "scaleTarget"} & set(predictor("standard", max_replicas=most))
    assert metrics == (set() if scaler == "none" else {"scaleMetric", "scaleTarget"})
    found = annotations(tree)
    assert found["serving.kserve.io/deploymentMode"] == "Standard"
    assert found["serving.kserve.io/autoscalerClass"] == scaler


def test_in_standard_mode_it_scales_by_cpu_unless_told_otherwise() -> None:
    assert predictor("standard")["scaleMetric"] == "cpu"
    assert predictor("standard", scale_metric="memory", scale_target=60)["scaleTarget"] == 60


def test_a_model_server_is_asked_how_it_is_as_the_settings_say() -> None:
    assert "readinessProbe" not in predictor("knative")["model"]
    model = predictor("knative", readiness={"period": 2, "failures": 90}, liveness={"period": 30, "timeout": 9})[
        "model"
    ]
    assert model["readinessProbe"]["httpGet"]["path"] == "/v2/models/iris/ready"
    assert (model["readinessProbe"]["periodSeconds"], model["readinessProbe"]["failureThreshold"]) == (2, 90)
    assert model["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    assert (model["livenessProbe"]["periodSeconds"], model["livenessProbe"]["timeoutSeconds"]) == (30, 9)
    assert (model["startupProbe"]["periodSeconds"], model["startupProbe"]["failureThreshold"]) == (1, 300)


@pytest.mark.parametrize("mode", ["knative", "standard"])
def test_pods_carry_what_the_rollout_waits_for(mode: ServingMode) -> None:
    tree = declare(mode)
    rollout = tree.inputs("Rollout", "iris")
    assert (rollout["mode"], rollout["served"]) == (mode, "mlflow://iris/3")
    assert annotations(tree)["ml-platform/settings"] == rollout["mark"]


@pytest.mark.parametrize(("mode", "again"), [("knative", True), ("standard", False)])
def test_how_far_a_model_may_grow_is_a_reason_for_new_pods_with_knative_only(mode: ServingMode, again: bool) -> None:
    settings = [declare(mode, max_replicas=most).inputs("Rollout", "iris")["mark"] for most in (3, 4)]
    assert (settings[0] != settings[1]) is again


@pytest.mark.parametrize("mode", ["knative", "standard"])
def test_other_limits_are_a_reason_for_new_pods_in_both(mode: ServingMode) -> None:
    trees = [declare(mode, resources={"memory_limit": limit}) for limit in ("1Gi", "2Gi")]
    assert len({tree.inputs("Rollout", "iris")["mark"] for tree in trees}) == 2


def test_a_service_of_another_mode_is_a_new_one() -> None:
    requests = [declare(mode).find(ISVC, "iris") for mode in ("knative", "standard")]
    assert [each.replacement_trigger.string_value for each in requests] == ["knative", "standard"]
    assert all(each.deleteBeforeReplace for each in requests)


def test_every_way_in_is_let_in() -> None:
    policy = declare("standard").inputs("NetworkPolicy", "models-entry")["spec"]
    names = [
        source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in policy["ingress"]
        for source in rule["from"]
        if "namespaceSelector" in source
    ]
    assert names == ["gateway", "istio-system"]
