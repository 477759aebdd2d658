"""The provider's own configuration: which cluster, a changed kubeconfig, an unreachable one."""

import json
from typing import Any

import pytest
from ml_platform.kube import Client

pytestmark = pytest.mark.engine


def test_another_credential_is_an_update_and_another_cluster_a_replacement(
    stack: Any, kube: Client, namespace: str
) -> None:
    kubeconfig = json.loads(stack.provider["kubeconfig"]["$secret"])
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    stack.up()
    kubeconfig["users"].append({"name": "another", "user": {"token": "x"}})
    stack.provider["kubeconfig"] = {"$secret": json.dumps(kubeconfig)}
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    assert stack.up().changed == {}

    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    stack.provider["kubeconfig"] = {"$secret": json.dumps(kubeconfig)}
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    assert stack.preview().changed == {"c": "replace"}

    stack.provider["kubeconfig"] = {"$secret": json.dumps(kubeconfig)}
    stack.provider["clusterIdentifier"] = "the same"
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))


def test_what_an_unreachable_cluster_had_can_be_dropped(stack: Any) -> None:
    stack.provider["clusterIdentifier"] = "one"
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    stack.up()
    kubeconfig = json.loads(stack.provider["kubeconfig"]["$secret"])
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    stack.provider["kubeconfig"] = {"$secret": json.dumps(kubeconfig)}
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    moved = stack.up()
    assert (moved.ok, moved.changed) == (True, {}), "the identifier says that it is the same cluster"

    refused = stack.refresh()
    assert not refused.ok
    assert "PULUMI_K8S_DELETE_UNREACHABLE" in refused.text
    kept = stack.refresh(PULUMI_K8S_SKIP_UPDATE_UNREACHABLE="true")
    assert kept.ok, kept.text
    assert "c" in stack.names()
    dropped = stack.destroy(PULUMI_K8S_DELETE_UNREACHABLE="true")
    assert dropped.ok, dropped.text
    assert "c" not in stack.names()


def test_a_kubeconfig_that_is_none_is_named_when_it_is_needed(stack: Any) -> None:
    stack.provider = {"kubeconfig": "not: a kubeconfig\nat: all\n"}
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    failed = stack.up()
    assert not failed.ok
    assert "kubeconfig" in failed.text


@pytest.mark.stand_in
def test_what_only_the_official_plugin_serves_names_it(stack: Any) -> None:
    chart = {"type": "kubernetes:helm.sh/v3:Release", "name": "chart", "props": {"chart": "nginx"}}
    stack.declare(chart)
    assert "pulumi plugin install resource kubernetes" in stack.up().text
