"""What is before and after a served model, as it is declared in each serving mode."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_platform.handle import ServingMode
from ml_workloads.settings import WorkloadsSettings
from support import recorder, work
from support.serving import ISVC

MODES: list[ServingMode] = ["knative", "standard"]
IMAGE = f"registry.test/units@sha256:{'1' * 64}"
SCRIPT = {"script": "workloads/examples/mpg/units.py"}
CANARY = {"canary": {"uri": "pvc://models/mpg/4", "percent": 10}}
CONFIGMAP = "kubernetes:core/v1:ConfigMap"


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_workloads.script.text", lambda _, path, __: f"the text of {path}")


def declare(mode: ServingMode = "knative", transformer: dict[str, Any] = SCRIPT, **serving: Any) -> recorder.Recorder:
    block = {"uri": "pvc://models/mpg/3", "format": "sklearn", "transformer": transformer, **serving}
    return work.declare({"serving": {"mpg": block}}, mode=mode)


def part(tree: recorder.Recorder, name: str = "mpg") -> dict[str, Any]:
    return dict(tree.inputs(ISVC, name)["spec"]["transformer"])


def programs(tree: recorder.Recorder) -> set[str]:
    """The resources that hold scripts."""
    found = (each.name for each in tree.requests.values() if each.type == CONFIGMAP)
    return {name for name in found if name.startswith("mpg-transformer-")}


@pytest.mark.parametrize("mode", MODES)
def test_a_script_runs_in_the_image_of_the_model_server_and_asks_the_model_by_its_name(mode: ServingMode) -> None:
    tree = declare(mode, **CANARY)
    for name in ("mpg", "mpg-canary"):
        (container,) = part(tree, name)["containers"]
        assert container["image"] == work.stacks.images(["mlserver"])["mlserver"]
        assert container["command"] == ["python", "/opt/transformer/units.py"]
        assert container["args"] == ["--model_name", "mpg", "--protocol", "v2"]
        assert container["readinessProbe"]["httpGet"] == {"path": "/v2/models/mpg/ready", "port": 8080}
        assert container["securityContext"]["runAsNonRoot"] is True
        assert part(tree, name)["automountServiceAccountToken"] is False
        (program,) = (each for each in part(tree, name)["volumes"] if "configMap" in each)
        held = tree.inputs(CONFIGMAP, program["configMap"]["name"])
        assert held["metadata"]["name"] == program["configMap"]["name"]
        assert held["data"] == {"units.py": "the text of workloads/examples/mpg/units.py"}


def test_an_image_of_ones_own_is_told_what_kserve_tells_transformers() -> None:
    tree = declare(transformer={"image": IMAGE})
    (container,) = part(tree)["containers"]
    assert (container["image"], container["args"]) == (IMAGE, ["--model_name", "mpg"])
    assert "command" not in container
    assert programs(tree) == set()


@pytest.mark.parametrize("mode", MODES)
def test_requests_are_led_to_it_when_it_serves_and_it_is_waited_for_after_the_model(mode: ServingMode) -> None:
    tree = declare(mode, **CANARY)
    spec = tree.inputs("Route" if mode == "knative" else "HTTPRoute", "mpg-route")["spec"]
    led = [
        each.get("configurationName") or each["name"]
        for each in (spec["traffic"] if mode == "knative" else spec["rules"][0]["backendRefs"])
    ]
    assert led == ["mpg-transformer", "mpg-canary-transformer"]
    assert tree.inputs("Traffic", "mpg")["part"] == "transformer"
    parts = {name: tree.inputs("Rollout", name)["part"] for name in ("mpg", "mpg-transformer")}
    assert parts == {"mpg": "predictor", "mpg-transformer": "transformer"}
    assert any(urn.endswith("Rollout::mpg") for urn in tree.find("Rollout", "mpg-transformer").dependencies)


@pytest.mark.parametrize("mode", MODES)
def test_it_grows_as_far_as_the_model_does(mode: ServingMode) -> None:
    spec = declare(mode, min_replicas=2, max_replicas=4).inputs(ISVC, "mpg")["spec"]
    keys = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")
    assert {key: spec["transformer"][key] for key in keys} == {key: spec["predictor"][key] for key in keys}


def test_another_script_is_another_resource_and_new_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    before = declare()
    monkeypatch.setattr("ml_workloads.script.text", lambda _, __, ___: "another text")
    trees = (before, declare())
    assert len(set.union(*map(programs, trees))) == 2
    assert len({tree.inputs("Rollout", "mpg")["mark"] for tree in trees}) == 2


def test_a_script_needs_the_image_of_the_model_server() -> None:
    def needs(transformer: dict[str, Any]) -> tuple[str, ...]:
        block = {"uri": "pvc://models/mpg/3", "format": "sklearn", "transformer": transformer}
        return validate("workloads", {"serving": {"mpg": block}}, WorkloadsSettings).needs(None).images

    assert (needs(SCRIPT), needs({"image": IMAGE})) == (("mlserver",), ())


@pytest.mark.parametrize(
    ("serving", "key", "rule"),
    [
        ({"transformer": {}}, "transformer.script", "it has a script or an image"),
        ({"transformer": {**SCRIPT, "image": IMAGE}}, "transformer.image", "the block has 'script' as well"),
        ({"transformer": {"script": "units.sh"}}, "transformer.script", "pattern"),
        ({"transformer": {"image": "units:1"}}, "transformer.image", "it ends with @sha256:"),
        ({"protocol": "other", "ready": "/", "transformer": SCRIPT}, "transformer.script", "the image speaks neither"),
    ],
)
def test_what_can_not_be_is_refused_by_its_key(serving: dict[str, Any], key: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", {"serving": {"mpg": {"image": IMAGE, **serving}}}, WorkloadsSettings)
    assert f"ml-platform:workloads.serving.mpg.{key} is " in str(refused.value)
    assert rule in str(refused.value)
