"""All of Kubeflow as it is declared: no credential that others know, who reaches what, what a removal finds."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ml_platform.bundles import catalog
from ml_platform.bundles.pipeline import load
from support import recorder, stacks

KNOWN = ("minio123", "minio", "12341234", "test", "password", "admin", "root", "katib", "kubeflow")
"""Passwords and keys of the releases, and what people try first."""


SENSITIVE = re.compile(r"pass(word|wd)?$|secret(access)?key$|secretkey$|accesskey$|token$|hash$", re.IGNORECASE)


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


def credentials(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Values in an object, with their paths, that everybody knows and that somebody could log in with."""
    data = {**item.get("data", {}), **item.get("stringData", {})} if item.get("kind") == "Secret" else {}
    for key, value in data.items():
        encoded = key in item.get("data", {}) and value != recorder.HIDDEN
        plain = base64.b64decode(value).decode(errors="replace") if encoded else value
        if plain in KNOWN or plain == "":
            yield f"{item['metadata']['name']}.{key}", plain
    yield from _inside(item, item.get("metadata", {}).get("name", ""))


def _inside(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        named = str(value.get("name", ""))
        if SENSITIVE.search(named) and value.get("value") in KNOWN:
            yield f"{path}.{named}", value["value"]
        if named == "MYSQL_ALLOW_EMPTY_PASSWORD":
            yield f"{path}.{named}", ""
        for key, each in value.items():
            if SENSITIVE.search(key) and each in KNOWN:
                yield f"{path}.{key}", each
            yield from _inside(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, path)
    elif isinstance(value, str) and "\n" in value and ":" in value:
        yield from _inside(_parsed(value), path)


def _parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


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
