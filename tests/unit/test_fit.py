"""What settings choose, and what of it can't work on the cluster that is there."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from ml_platform import components, fit
from ml_platform.bundles import catalog, pipeline
from ml_platform.bundles.catalog import Entry
from ml_platform.configuration import SettingsError
from ml_platform.needs import Needs
from support import chosen
from support.chosen import LEAN

ISTIO = {"ingress": "istio"}
STANDARD = {"mode": "standard"}


def installed(**blocks: Any) -> dict[str, Entry]:
    settings = chosen.platform(**blocks)
    return {entry.name: entry for entry in components.needs(settings).installed(settings.bundles)}


@pytest.mark.parametrize(
    ("blocks", "names"),
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
def test_settings_choose_bundles(blocks: dict[str, Any], names: str) -> None:
    assert set(installed(**blocks)) == set(names.split())


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
    catalog.check(installed(**blocks).values())


def test_a_chosen_version_is_installed() -> None:
    assert {name: entry.version for name, entry in installed(bundles=LEAN).items()} == LEAN["versions"]


def test_images_are_those_of_the_platform_and_of_its_bundles() -> None:
    lean = {f"knative-{part}" for part in ("activator", "autoscaler", "controller", "queue", "webhook")}
    wanted = {"mlflow", "mlserver", "postgres", "training", "traefik", "versitygw", "kserve-manager", *lean}
    assert chosen.all_images(chosen.platform(bundles=LEAN)) == wanted
    assert "traefik" not in chosen.all_images(chosen.platform(gateway=ISTIO))
    assert {"istio-pilot", "istio-proxy"} < chosen.all_images(chosen.platform(gateway=ISTIO))


def test_our_own_images_must_be_there_even_where_others_are_pulled() -> None:
    images = chosen.all_images(chosen.platform(bundles=LEAN)) - {"postgres"}
    with pytest.raises(SettingsError, match=r"platform\.images has no postgres, and this stack runs them"):
        check(images=images, pulls=True, bundles=LEAN)


def test_all_images_that_are_missing_are_named_at_once_with_one_command_before_anything_is_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "load", lambda *_: pytest.fail("a release was rendered"))
    monkeypatch.setattr(pulumi, "get_stack", lambda: "stack")
    message = refusal(images=["mlflow"], pulls=True, more=Needs(images=("tuning",)), version="1.35")
    assert "has no mlserver, postgres, traefik, training, tuning, versitygw, and this" in message
    assert "make images REGISTRY=<host>/<path> STACK=stack" in message


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
    built = {"istio-pilot", "istio-proxy", "kube-rbac-proxy"} | chosen.all_images(chosen.platform())
    message = refusal(images=built, pulls=False, **blocks)
    assert image in message
    assert f"else the nearest choice that works here: {instead}" in message
    check(images=built, pulls=False)


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
    message = refusal(images=chosen.own_images(), pulls=True, version=version, **blocks)
    assert f"cluster.version is '{version}'" in message
    assert f"the nearest choice that works on it: {instead}" in message


def check(images: Any, pulls: bool, more: Needs | None = None, version: str | None = None, **blocks: Any) -> None:
    settings = chosen.platform(**blocks)
    needs = components.needs(settings) + (more or Needs())
    fit.check(settings, needs, images=images, pulls=pulls, version=version)


def refusal(**given: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        check(**given)
    return str(refused.value)
