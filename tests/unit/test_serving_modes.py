"""What a served model asks of KServe in each serving mode, on a platform of which only its handle is there."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from ml_platform.configuration import SettingsError
from ml_platform.handle import ObjectStoreAccess, PlatformHandle, PlatformOutputs, ServingMode
from ml_workloads import fit
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.workloads import Workloads
from support import recorder

SERVICE = "kubernetes:serving.kserve.io/v1beta1:InferenceService"


def declare(mode: ServingMode, **serving: Any) -> recorder.Recorder:
    import pulumi_kubernetes as kubernetes

    def program() -> None:
        known = pulumi.Output.from_input
        outputs = PlatformOutputs(
            mlflow_url=known("http://mlflow.test:5000"),
            object_store=ObjectStoreAccess(
                endpoint=known("http://s3.test"), region="r", access_key="k", secret_key=known("s"), buckets=("data",)
            ),
            serving_mode=mode,
            serving=known(mode),
            url_template="http://{host}.test",
            object_store_url="http://s3.test",
            entry_namespaces=("gateway", "istio-system"),
            namespaces=("gateway",),
            images={"training": "training@sha256:0"},
            kubeconfig=known("{}"),
        )
        handle = PlatformHandle(provider=kubernetes.Provider("cluster", kubeconfig="{}"), outputs=outputs)
        served = {"iris": {"model": {"name": "iris", "version": 3}, **serving}}
        Workloads("workloads", handle, WorkloadsSettings.model_validate({"serving": served}))

    return recorder.record(program)


def annotations(tree: recorder.Recorder) -> dict[str, str]:
    """Of the served model, as far as KServe acts on them."""
    found = tree.inputs(SERVICE, "iris")["metadata"]["annotations"]
    return {name: value for name, value in found.items() if not name.startswith("pulumi.com/")}


def test_with_knative_requests_at_once_decide_how_many_replicas_there_are() -> None:
    tree = declare("knative", concurrency=7)
    predictor = tree.inputs(SERVICE, "iris")["spec"]["predictor"]
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("concurrency", 7)
    assert annotations(tree) == {"serving.kserve.io/deploymentMode": "Knative"}


@pytest.mark.parametrize(("most", "scaler"), [(1, "none"), (4, "hpa")])
def test_in_standard_mode_only_a_range_of_replicas_needs_an_autoscaler(most: int, scaler: str) -> None:
    tree = declare("standard", max_replicas=most)
    predictor = tree.inputs(SERVICE, "iris")["spec"]["predictor"]
    assert not {"scaleMetric", "scaleTarget"} & set(predictor)
    found = annotations(tree)
    assert found["serving.kserve.io/deploymentMode"] == "Standard"
    assert found["serving.kserve.io/autoscalerClass"] == scaler


def test_in_standard_mode_pods_carry_what_the_rollout_waits_for() -> None:
    tree = declare("standard")
    rollout = tree.inputs("Rollout", "iris")
    assert (rollout["mode"], rollout["uri"]) == ("standard", "mlflow://iris/3")
    assert annotations(tree)["ml-platform/settings"] == rollout["settings"]


@pytest.mark.parametrize(("mode", "again"), [("knative", True), ("standard", False)])
def test_how_far_a_model_may_grow_is_a_reason_for_new_pods_with_knative_only(mode: ServingMode, again: bool) -> None:
    settings = [declare(mode, max_replicas=most).inputs("Rollout", "iris")["settings"] for most in (3, 4)]
    assert (settings[0] != settings[1]) is again


@pytest.mark.parametrize("mode", ["knative", "standard"])
def test_other_limits_are_a_reason_for_new_pods_in_both(mode: ServingMode) -> None:
    trees = [declare(mode, resources={"memory_limit": limit}) for limit in ("1Gi", "2Gi")]
    assert len({tree.inputs("Rollout", "iris")["settings"] for tree in trees}) == 2


def test_a_service_of_another_mode_is_a_new_one() -> None:
    requests = [declare(mode).find(SERVICE, "iris") for mode in ("knative", "standard")]
    assert [each.replacement_trigger.string_value for each in requests] == ["knative", "standard"]
    assert all(each.deleteBeforeReplace for each in requests)


def test_a_model_that_nothing_could_wake_is_refused() -> None:
    served = {"iris": {"model": {"name": "iris", "version": 3}, "min_replicas": 0}}
    settings = WorkloadsSettings.model_validate({"serving": served})
    fit.check(settings, serving="knative", spark=None, buckets=())
    with pytest.raises(SettingsError, match=r"workloads\.serving\.iris\.min_replicas is 0: in serving mode standard"):
        fit.check(settings, serving="standard", spark=None, buckets=())


def test_every_way_in_is_let_in() -> None:
    policy = declare("standard").inputs("NetworkPolicy", "models-entry")["spec"]
    names = [
        source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in policy["ingress"]
        for source in rule["from"]
        if "namespaceSelector" in source
    ]
    assert names == ["gateway", "istio-system"]
