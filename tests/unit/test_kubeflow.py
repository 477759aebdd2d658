"""Kubeflow as it is declared: its parts and their needs, who reaches what, and no credential that everybody knows."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
import yaml
from ml_platform import components
from ml_platform.bundles import catalog
from ml_platform.bundles.pipeline import load
from ml_platform.components import pipelines
from ml_platform.configuration import SettingsError
from ml_platform.handle import ObjectStoreAccess
from ml_platform.settings.kubeflow import IN_PROFILES, PAGES, THROUGH_ISTIO
from support import chosen, readme, recorder, stacks
from support.credentials import credentials

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


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> recorder.Recorder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path_factory.mktemp("node"))))
        return stacks.record("everything")


@pytest.mark.mirror
def test_no_credential_of_a_release_is_left(everything: recorder.Recorder) -> None:
    objects = [recorder.inputs(request) for request in everything.requests.values()]
    assert [found for item in objects for found in credentials(item)] == []


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("bundle", "known"),
    [("katib", "test"), ("kubeflow-pipelines", "minio123"), ("kubeflow-pipelines", "minio")],
)
def test_a_release_as_it_comes_has_credentials_that_everybody_knows(bundle: str, known: str) -> None:
    objects = load(catalog.entry(bundle).model_copy(update={"rules": ()}))
    assert known in {value for item in objects for _, value in credentials(item)}


@pytest.mark.mirror
def test_no_pod_of_kubeflow_asks_for_a_sidecar(everything: recorder.Recorder) -> None:
    for item in kubeflows(everything, "Deployment"):
        labels = item["spec"]["template"]["metadata"]["labels"]
        assert labels.get("sidecar.istio.io/inject", "false") == "false", item["metadata"]["name"]
    kinds = {item["kind"] for item in kubeflows(everything)}
    assert not {"AuthorizationPolicy", "DestinationRule"} & kinds


@pytest.mark.mirror
def test_only_the_gateway_and_neighbours_reach_a_page(everything: recorder.Recorder) -> None:
    there = (each for each in kubeflows(everything, "NetworkPolicy") if each["metadata"]["namespace"] == "kubeflow")
    policies = [each["spec"] for each in there]
    for name in ("jupyter-web-app-deployment", "volumes-web-app-deployment", "katib-ui", "dashboard", "ml-pipeline-ui"):
        labels = everything_named(everything, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
        mine = [policy for policy in policies if selects(policy["podSelector"], labels)]
        assert mine, name
        sources = [source for policy in mine for rule in policy["ingress"] for source in rule.get("from", [{}])]
        assert all(source == {"podSelector": {}} or "istio-system" in json.dumps(source) for source in sources), name


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    terms = selector.get("matchExpressions", [])
    same = selector.get("matchLabels", {}).items() <= labels.items()
    return same and all(labels.get(term["key"]) in term["values"] for term in terms)


@pytest.mark.mirror
def test_the_gateway_says_who_somebody_is_and_nobody_else_can(everything: recorder.Recorder) -> None:
    (rule,) = everything.inputs("RequestAuthentication", "istio-gateway")["spec"]["jwtRules"]
    assert rule["outputClaimToHeaders"] == [{"header": "kubeflow-userid", "claim": "email"}]
    (server,) = everything.inputs("kubernetes:networking.istio.io/v1:Gateway", "kubeflow-gateway")["spec"]["servers"]
    assert server["hosts"] == ["kubeflow.ml.example.com"]
    assert server["tls"]["mode"] == "SIMPLE"


@pytest.mark.mirror
def test_nothing_is_made_at_run_time_that_a_removal_would_not_find(everything: recorder.Recorder) -> None:
    assert not [each.name for each in everything.requests.values() if "cache-deployer" in each.name]
    assert everything.find("MutatingWebhookConfiguration", "kubeflow-pipelines-cache-webhook-kubeflow")
    rights = [rule for item in kubeflows(everything, "ClusterRole") for rule in item.get("rules", [])]
    assert not [rule for rule in rights if "certificates.k8s.io" in rule.get("apiGroups", ())]


@pytest.mark.mirror
def test_the_namespace_of_a_profile_has_its_owner_a_quota_and_a_policy(everything: recorder.Recorder) -> None:
    metadata = everything.inputs("kubernetes:core/v1:Namespace", "research")["metadata"]
    assert metadata["annotations"] == {"owner": "ada@example.com"}
    assert metadata["labels"]["istio-injection"] == "disabled"
    assert everything.inputs("ResourceQuota", "research-quota")["spec"]["hard"]["limits.cpu"] == "32"
    assert everything.inputs("NetworkPolicy", "research-entry")
    profile = everything.find("kubernetes:kubeflow.org/v1:Profile", "research")
    assert recorder.inputs(profile)["spec"]["owner"] == {"kind": "User", "name": "ada@example.com"}
    assert any("profiles-drain" in each for each in profile.dependencies), "it goes before the controller"


@pytest.mark.mirror
def test_the_menu_has_what_there_is(everything: recorder.Recorder) -> None:
    data = everything_named(everything, "ConfigMap", "dashboard-config")["data"]
    links = json.loads(data["links"])
    assert {each["link"] for each in links["menuLinks"]} == {
        "/jupyter/", "/tensorboards/", "/volumes/", "/katib/", "/pipeline/#/pipelines",
    }  # fmt: skip
    assert "https://mlflow.ml.example.com" in [each["url"] for each in links["externalLinks"]]


@pytest.mark.mirror
def test_pipelines_keep_artifacts_in_the_platforms_store(everything: recorder.Recorder) -> None:
    launcher = everything_named(everything, "ConfigMap", "kfp-launcher")["data"]
    assert launcher["defaultPipelineRoot"] == "s3://datasets/pipelines"
    store = json.loads(launcher["providers"])["s3"]["default"]
    assert store["endpoint"] == "s3.storage.svc.cluster.local:7070"
    assert store["disableSSL"] is True
    text = json.dumps(kubeflows(everything))
    assert "seaweedfs" not in text


def kubeflows(found: recorder.Recorder, kind: str | None = None) -> list[dict[str, Any]]:
    """The objects of Kubeflow's bundles."""
    parts = ("kubeflow", "profiles", "poddefaults", "notebooks", "tensorboards", "volumes", "central-dashboard",
             "katib", "pipelines")  # fmt: skip
    items = [
        recorder.inputs(each)
        for each in found.requests.values()
        if each.type.startswith("kubernetes:") and each.parent.rpartition("::")[2] in parts
    ]
    return [item for item in items if kind in (None, item["kind"])]


def everything_named(found: recorder.Recorder, kind: str, name: str) -> dict[str, Any]:
    (item,) = [each for each in kubeflows(found, kind) if each["metadata"]["name"] == name]
    return item
