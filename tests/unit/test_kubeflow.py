"""Kubeflow as it is declared: its parts and their needs, who reaches what, and no credential that everybody knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from ml_platform import components
from ml_platform.bundles import catalog
from ml_platform.components import pipelines
from ml_platform.configuration import SettingsError
from ml_platform.handle import ObjectStoreAccess
from ml_platform.settings.kubeflow import IN_PROFILES, PAGES, THROUGH_ISTIO
from support import chosen, readme, recorder, stacks

JWT = {"issuer": "https://login.test", "jwks": "{}"}
GATEWAY: dict[str, Any] = {"ingress": "istio", "domain": "ml.test", "jwt": JWT, "tls": {"hosts": ["kubeflow"]}}
ALL: dict[str, Any] = {
    "pipelines": {},
    "profiles": {"research": {"owner": "ada@example.com"}},
    **dict.fromkeys((*PAGES, "poddefaults"), True),
}


def refusal(kubeflow: dict[str, Any], **blocks: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        chosen.platform(kubeflow=kubeflow, **{"gateway": GATEWAY, **blocks})
    return str(refused.value)


def test_all_of_it_can_be_on() -> None:
    bundles = chosen.needs(kubeflow=ALL, gateway=GATEWAY).bundles
    assert {
        "kubeflow", "profiles", "poddefaults", "notebooks", "tensorboards", "volumes", "central-dashboard", "katib",
        "kubeflow-pipelines",
    } <= set(bundles)  # fmt: skip


@pytest.mark.parametrize("part", sorted(ALL))
def test_each_part_can_be_left_out(part: str) -> None:
    kept = {name: value for name, value in ALL.items() if name != part}
    if part == "profiles":
        kept = {name: value for name, value in kept.items() if name not in IN_PROFILES}
    found = chosen.needs(kubeflow=kept, gateway=GATEWAY).bundles
    gone = {"dashboard": "central-dashboard", "pipelines": "kubeflow-pipelines"}.get(part, part)
    assert gone not in found
    catalog.check([catalog.entry(name) for name in found])


def test_the_settings_of_its_page_are_accepted() -> None:
    (block,) = readme.fenced("yaml", "docs/kubeflow.md")
    settings = chosen.platform(**yaml.safe_load(block)["ml-platform:platform"])
    assert settings.kubeflow
    assert set(settings.kubeflow.chosen(*ALL)) == set(ALL)


def test_without_the_block_nothing_of_it_is_there() -> None:
    assert not {"kubeflow", "profiles", "katib"} & set(chosen.needs().bundles)


@pytest.mark.parametrize("part", sorted(IN_PROFILES))
def test_a_part_that_needs_profiles_is_refused_without_them(part: str) -> None:
    said = refusal({part: True})
    assert f"kubeflow.{part} needs it" in said
    assert IN_PROFILES[part] in said
    assert "platform.kubeflow.profiles" in said


@pytest.mark.parametrize("part", sorted(THROUGH_ISTIO))
def test_a_part_with_routes_of_istio_is_refused_behind_another_gateway(part: str) -> None:
    said = refusal({"profiles": {}, part: {} if part == "profiles" else True}, gateway={"host_port": 8080})
    assert "makes routes of Istio: set istio" in said
    assert "platform.gateway.ingress" in said


@pytest.mark.parametrize("part", sorted(PAGES))
def test_a_page_is_refused_where_nobody_asks_who_somebody_is(part: str) -> None:
    said = refusal({"profiles": {}, part: True}, gateway={**GATEWAY, "jwt": None})
    assert f"kubeflow.{part} believes the gateway about who somebody is" in said
    assert "platform.gateway.jwt" in said


def test_a_public_host_excludes_pages_that_know_people() -> None:
    public = {**GATEWAY, "jwt": {**JWT, "public_hosts": ["kubeflow.ml.test"]}}
    said = refusal({"katib": True}, gateway=public)
    assert "kubeflow.ml.test can't be public beside kubeflow.katib" in said


def test_the_host_of_the_pages_has_to_be_on_the_certificate() -> None:
    said = refusal({"katib": True}, gateway={**GATEWAY, "tls": {}})
    assert "the pages of Kubeflow are at kubeflow.ml.test, which the certificate needs: add kubeflow" in said


def test_artifacts_are_in_a_bucket_that_there_is() -> None:
    said = refusal({"pipelines": {"bucket": "elsewhere"}})
    assert "platform.kubeflow.pipelines.bucket" in said
    assert '"elsewhere"' in said
    assert "it is one of object_store.buckets: datasets" in said


def test_a_store_that_gives_no_keys_is_refused_beside_pipelines() -> None:
    def program() -> None:
        known = pulumi.Output.from_input
        store = ObjectStoreAccess(
            endpoint=known("https://s3.test"), region=known("r"), buckets=("datasets",), checksums=known("")
        )
        with pytest.raises(SettingsError, match=r"kubeflow\.pipelines needs an object store that knows pods by a key"):
            pipelines._secrets(chosen.site(chosen.platform(kubeflow={"pipelines": {}})), store)

    recorder.record(program)


@pytest.mark.mirror
def test_one_machine_refuses_what_it_can_not_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    built = stacks.images(chosen.all_images(stacks.settings("local")))
    (tmp_path / "images").write_text(json.dumps(built))
    with pytest.raises(SettingsError, match=r"the nearest choice that works here: no kubeflow\.pipelines"):
        stacks.record("local", changes={"kubeflow": {"pipelines": {}}})


def test_a_block_that_installs_nothing_is_refused() -> None:
    assert "the block installs nothing: choose a part, or remove the block" in refusal({})


@pytest.mark.parametrize("namespace", ["kubeflow", "katib", "mlflow", "kube-system"])
def test_a_profile_that_is_called_like_a_namespace_of_another_is_refused(namespace: str) -> None:
    profiles = {namespace: {"owner": "ada@example.com"}}
    with pytest.raises(SettingsError, match=f"Namespace '{namespace}' is claimed by both"):
        chosen.needs(kubeflow={"profiles": profiles, "katib": True}, gateway=GATEWAY)


def test_the_namespace_of_a_profile_is_looked_at_before_anything_is_touched() -> None:
    needs = chosen.needs(kubeflow={"profiles": {"research": {"owner": "ada@example.com"}}}, gateway=GATEWAY)
    assert "research" in [item["metadata"]["name"] for item in needs.outside_of_namespaces()]


@pytest.mark.parametrize(
    ("blocks", "there"),
    [
        ({"training": {"v1": True}}, True),
        ({"training": {"v2": True}}, False),
        ({"training": {"v1": True}, "bundles": {"existing": ["training-operator"]}}, False),
        ({"kubeflow": {"pipelines": {}}}, True),
    ],
)
def test_the_namespace_that_is_shared_is_of_neither_bundle_in_it(blocks: dict[str, Any], there: bool) -> None:
    kubeflow = components.kubeflow.Kubeflow
    assert kubeflow.chosen(chosen.platform(**blocks)) is there
