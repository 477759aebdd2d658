"""An image of one's own that answers requests, as it is declared in each serving mode."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_platform.handle import ServingMode
from ml_workloads.settings import WorkloadsSettings
from support import recorder, work
from support.serving import ISVC

MODES: list[ServingMode] = ["knative", "standard"]
IMAGES = [f"registry.test/ctr@sha256:{digit * 64}" for digit in "12"]
SECRET = "kubernetes:core/v1:Secret"


def declare(mode: ServingMode = "knative", **serving: Any) -> recorder.Recorder:
    return work.declare({"serving": {"ctr": {"image": IMAGES[0], **serving}}}, mode=mode)


def container(tree: recorder.Recorder, name: str = "ctr") -> dict[str, Any]:
    (found,) = tree.inputs(ISVC, name)["spec"]["predictor"]["containers"]
    return dict(found)


@pytest.mark.parametrize("mode", MODES)
def test_it_is_the_container_that_kserve_asks_and_meets_the_restricted_standard(mode: ServingMode) -> None:
    tree = declare(mode, command=["python", "-m", "serve"], args=["--workers=1"], env={"DENSE": "price"}, port=9001)
    found = container(tree)
    assert (found["name"], found["image"]) == ("kserve-container", IMAGES[0])
    assert (found["command"], found["args"]) == (["python", "-m", "serve"], ["--workers=1"])
    assert {"name": "DENSE", "value": "price"} in found["env"]
    assert found["ports"] == [{"containerPort": 9001, "protocol": "TCP"}]
    context = found["securityContext"]
    assert (context["runAsNonRoot"], context["readOnlyRootFilesystem"]) == (True, True)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    (mount,) = found["volumeMounts"]
    (volume,) = tree.inputs(ISVC, "ctr")["spec"]["predictor"]["volumes"]
    assert (mount["name"], mount["mountPath"], volume["emptyDir"]) == (volume["name"], "/tmp", {"sizeLimit": "256Mi"})


def test_without_a_command_its_own_entrypoint_runs() -> None:
    assert {"command", "args"}.isdisjoint(container(declare()))


@pytest.mark.parametrize(
    ("serving", "ready", "asked"),
    [
        ({}, "/v2/models/ctr/ready", "/v2/models/ctr/infer"),
        ({"protocol": "v1"}, "/v1/models/ctr", "/v1/models/ctr:predict"),
        ({"protocol": "v1", "model_name": "dcnv2"}, "/v1/models/dcnv2", "/v1/models/dcnv2:predict"),
        ({"protocol": "other", "ready": "/health"}, "/health", "/"),
        ({"ready": "/v2/health/ready"}, "/v2/health/ready", "/v2/models/ctr/infer"),
    ],
    ids=str,
)
def test_its_protocol_says_where_it_is_asked_and_whether_it_is_ready(
    serving: dict[str, Any], ready: str, asked: str
) -> None:
    tree = declare(**serving, port=9001)
    probe = container(tree)["readinessProbe"]
    assert probe["httpGet"] == {"path": ready, "port": 9001}
    assert (probe["periodSeconds"], probe["failureThreshold"]) == (1, 120)
    rollout = tree.inputs("Rollout", "ctr")
    assert (rollout["served"], rollout["ready"], rollout["listens"]["port"]) == (IMAGES[0], ready, 9001)
    assert tree.exports["prediction_urls"] == {"ctr": f"http://ctr.models.test{asked}"}
    assert tree.exports["cluster_urls"] == {"ctr": f"http://ctr.models.svc.cluster.local{asked}"}
    v1 = tree.exports["prediction_urls"] if serving.get("protocol") == "v1" else {}
    assert tree.exports["v1_urls"] == v1


def test_a_slow_start_is_none_of_the_liveness_probes_business() -> None:
    found = container(declare(liveness={"period": 10}, timeout=120))
    assert found["livenessProbe"]["httpGet"] == found["startupProbe"]["httpGet"]
    assert (found["startupProbe"]["periodSeconds"], found["startupProbe"]["failureThreshold"]) == (1, 120)
    assert "startupProbe" not in container(declare())


@pytest.mark.parametrize("mode", MODES)
def test_a_canary_is_another_image_under_the_same_path(mode: ServingMode) -> None:
    tree = declare(mode, canary={"image": IMAGES[1], "percent": 20})
    assert [container(tree, name)["image"] for name in ("ctr", "ctr-canary")] == IMAGES
    assert {tree.inputs("Rollout", name)["ready"] for name in ("ctr", "ctr-canary")} == {"/v2/models/ctr/ready"}
    assert tree.inputs("Traffic", "ctr")["shares"] == {"ctr": 80, "ctr-canary": 20}
    settings = [tree.inputs("Rollout", name)["setting"] for name in ("ctr", "ctr-canary")]
    block = "ml-platform:workloads.serving.ctr"
    assert settings == [f"{block}.image", f"{block}.canary.image"]
    assert tree.exports["canary_urls"] == {"ctr": "http://canary-ctr.models.test/v2/models/ctr/infer"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "change", [{"image": IMAGES[1]}, {"env": {"A": "b"}}, {"port": 9001}, {"args": ["-v"]}], ids=str
)
def test_what_its_pods_are_made_of_is_a_reason_for_new_ones(mode: ServingMode, change: dict[str, Any]) -> None:
    marks = {declare(mode, **each).inputs("Rollout", "ctr")["mark"] for each in ({}, change)}
    assert len(marks) == 2


def test_a_secret_of_the_stack_is_a_variable_and_nowhere_in_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"api_token": "the value of api_token"}
    monkeypatch.setattr("ml_workloads.served.require_secret", lambda _, name, __: values[name])
    tree = declare(secrets={"TOKEN": "api_token"})
    assert tree.inputs(SECRET, "ctr-secrets")["stringData"] == {"TOKEN": recorder.HIDDEN}
    found = container(tree)["env"]
    assert {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "ctr-secrets", "key": "TOKEN"}}} in found
    assert "the value of" not in str(tree.inputs(ISVC, "ctr"))


def refusal(**serving: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", {"serving": {"ctr": {"image": IMAGES[0], **serving}}}, WorkloadsSettings)
    return str(refused.value)


@pytest.mark.parametrize(
    ("serving", "key", "given", "rule"),
    [
        ({"image": "registry.test/ctr:1"}, "image", '"registry.test/ctr:1"', "it ends with @sha256:"),
        ({"version": 1}, "version is no setting", "", "allowed here: args, canary, command"),
        ({"canary": {"image": IMAGES[0]}}, "canary.image", f'"{IMAGES[0]}"', "another image than `image`"),
        ({"canary": {"version": 1}}, "canary.version is no setting", "", "allowed here: image, percent"),
        ({"port": 80}, "port", "80", "greater than or equal to 1024"),
        ({"protocol": "grpc"}, "protocol", '"grpc"', "'v1', 'v2' or 'other'"),
        ({"protocol": "other"}, "ready", "null", "name the path"),
        ({"ready": "health"}, "ready", '"health"', "pattern"),
        ({"command": "serve"}, "command", '"serve"', "it is a list of texts, of which the first"),
        ({"env": {"A": 1}}, "env.A", "1", "valid string"),
        ({"env": {"HOME": "/"}}, "env.HOME", '"/"', "the platform sets it"),
        ({"env": {"A": "1"}, "secrets": {"A": "a"}}, "secrets.A", '"a"', "`env` has it as well"),
        ({"secrets": {"A": "A key!"}}, "secrets.A", '"A key!"', "pattern"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_is_refused_by_its_key(serving: dict[str, Any], key: str, given: str, rule: str) -> None:
    message = refusal(**serving)
    assert f"ml-platform:workloads.serving.ctr.{key}{f' is {given}' if given else '; '}" in message
    assert rule in message
    assert "pulumi config " in message
