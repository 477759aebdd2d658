"""What settings choose, and what of it can't work on the cluster that is there."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from ml_platform import selection
from ml_platform.bundles import catalog, pipeline
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import PlatformSettings

LEAN = {"versions": {"knative-serving": "1.23.0-lean", "kserve": "0.20.0-lean"}}
ISTIO = {"ingress": "istio"}
STANDARD = {"mode": "standard"}


def settings(**blocks: Any) -> PlatformSettings:
    return validate("platform", blocks, PlatformSettings)


def names(**blocks: Any) -> list[str]:
    return [entry.name for entry in selection.bundles(settings(**blocks))]


@pytest.mark.parametrize(
    ("blocks", "chosen"),
    [
        ({}, "knative-serving kserve"),
        ({"serving": STANDARD}, "gateway-api kserve"),
        ({"gateway": ISTIO}, "gateway-api istio-base istiod istio-gateway knative-serving net-istio kserve"),
        ({"gateway": ISTIO, "serving": STANDARD}, "gateway-api istio-base istiod istio-gateway kserve"),
        ({"certificates": "cert-manager"}, "cert-manager knative-serving kserve"),
        ({"spark": {}}, "knative-serving kserve spark-operator"),
        ({"ray": {}, "training": {"v1": True}}, "knative-serving kserve kuberay training-operator"),
        ({"training": {"v2": True}}, "knative-serving kserve jobset trainer"),
        (
            {"spark": {"operator": "stackable"}},
            "knative-serving kserve stackable-commons stackable-secret stackable-listener stackable-spark",
        ),
        ({"bundles": {"existing": ["knative-serving"]}}, "kserve"),
    ],
)
def test_settings_choose_bundles(blocks: dict[str, Any], chosen: str) -> None:
    assert names(**blocks) == chosen.split()


@pytest.mark.parametrize(
    "blocks",
    [
        {"gateway": gateway, "serving": serving, "spark": spark, "training": {"v1": True, "v2": True}, "ray": {}}
        for gateway in ({}, ISTIO)
        for serving in ({}, STANDARD)
        for spark in ({"operator": "kubeflow"}, {"operator": "stackable"})
    ],
)
def test_the_releases_of_every_choice_go_together(blocks: dict[str, Any]) -> None:
    catalog.check(selection.bundles(settings(**blocks)))


def test_a_chosen_version_is_installed() -> None:
    chosen = {entry.name: entry.version for entry in selection.bundles(settings(bundles=LEAN))}
    assert chosen == LEAN["versions"]


def test_images_are_those_of_the_platform_and_of_its_bundles() -> None:
    lean = {f"knative-{part}" for part in ("activator", "autoscaler", "controller", "queue", "webhook")}
    wanted = selection.OWN_IMAGES | lean | {"traefik", "kserve-manager"}
    assert selection.image_names(settings(bundles=LEAN)) == wanted
    assert "traefik" not in selection.image_names(settings(gateway=ISTIO))
    assert {"istio-pilot", "istio-proxy"} < selection.image_names(settings(gateway=ISTIO))


def test_our_own_images_must_be_there_even_where_others_are_pulled() -> None:
    chosen = settings(bundles=LEAN)
    with pytest.raises(SettingsError, match=r"platform\.images has no postgres, and this stack runs them"):
        selection.check(chosen, images=selection.image_names(chosen) - {"postgres"}, pulls=True)


def test_all_images_that_are_missing_are_named_at_once_with_one_command_before_anything_is_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "load", lambda *_: pytest.fail("a release was rendered"))
    monkeypatch.setattr(pulumi, "get_stack", lambda: "stack")
    message = refusal(images=["mlflow"], pulls=True, more={"tuning", "cluster-autoscaler"}, version="1.35")
    assert "has no cluster-autoscaler, mlserver, postgres, traefik, training, tuning, versitygw, and this" in message
    assert "make images REGISTRY=<host>/<path> STACK=stack" in message
    assert "cluster-autoscaler:v1.35.0" in message


def test_a_lean_release_does_not_serve_without_what_it_needs() -> None:
    message = refusal(images=(), pulls=True, bundles=LEAN, serving=STANDARD)
    assert "serving.mode: standard" in message
    assert "'kserve' needs 'knative-serving'" in message


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("blocks", "image", "instead"),
    [
        ({"certificates": "cert-manager"}, "cert-manager-", "certificates: own"),
        ({"gateway": ISTIO}, "net-istio", "gateway.ingress: traefik, or serving.mode: standard"),
        ({"spark": {"operator": "stackable"}}, "commons-operator", "spark: {operator: kubeflow}"),
        ({"ray": {}}, "kuberay", "no ray"),
    ],
)
def test_what_a_node_can_neither_pull_nor_build_is_refused_with_the_nearest_choice(
    blocks: dict[str, Any], image: str, instead: str
) -> None:
    built = {"istio-pilot", "istio-proxy", "kube-rbac-proxy"} | selection.image_names(settings())
    message = refusal(images=built, pulls=False, **blocks)
    assert image in message
    assert f"else the nearest choice that works here: {instead}" in message
    selection.check(settings(), images=built, pulls=False)


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("blocks", "version", "instead"),
    [
        ({"spark": {"operator": "stackable"}}, "1.36", "spark: {operator: kubeflow}"),
        ({}, "1.33", "serving.mode: standard"),
        ({"gateway": ISTIO, "serving": STANDARD}, "1.31", "gateway.ingress: traefik"),
    ],
)
def test_a_release_for_other_versions_of_kubernetes_is_refused_with_the_nearest_choice(
    blocks: dict[str, Any], version: str, instead: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        selection.check(settings(**blocks), images=selection.OWN_IMAGES, pulls=True, version=version)
    assert f"cluster.version is '{version}'" in str(refused.value)
    assert f"the nearest choice that works on it: {instead}" in str(refused.value)


def refusal(images: Any, pulls: bool, more: Any = (), version: str | None = None, **blocks: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        selection.check(settings(**blocks), images=images, pulls=pulls, more=more, version=version)
    return str(refused.value)
