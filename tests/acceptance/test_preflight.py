"""The preflight, the CRDs, the gate and the drain of a bundle on a real API server: what they refuse and leave."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_platform.asking import ClusterError
from ml_platform.bundles import catalog, definitions, drain, gates, preflight
from ml_platform.bundles.errors import BundleError
from ml_platform.kube import Client, KubeError
from support.control_plane import ControlPlane
from support.made_up import LABELS, definition, release, thing, webhook

pytestmark = pytest.mark.acceptance

API = (definitions.API_VERSION, definitions.KIND)
THING, GADGET = definition("things", "x.test", "Thing"), definition("gadgets", "x.test", "Gadget")
TRACKING = thing("Namespace", "tracking")
DISKS = thing("StorageClass", "disks", "storage.k8s.io/v1", provisioner="csi.test")
DISKS["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
CONVERSION = {
    "strategy": "Webhook",
    "webhook": {
        "clientConfig": {"service": {"name": "web", "namespace": "web"}},
        "conversionReviewVersions": ["v1"],
    },
}


@pytest.fixture(scope="module")
def kubeconfig(plane: ControlPlane) -> Iterator[str]:
    with plane.scratch() as client:
        client.apply(DISKS, field_manager="a cloud")
        yield plane.kubeconfig


@pytest.fixture
def client(kubeconfig: str) -> Iterator[Client]:
    client = Client.from_kubeconfig(kubeconfig)
    yield client
    client.delete("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "hook.x.test")
    definitions._remove(client, ["things.x.test", "gadgets.x.test"], "web")


def publish(monkeypatch: pytest.MonkeyPatch, folder: Path, *objects: Any, **fields: Any) -> None:
    entry = release(folder, "web", objects, **fields)
    monkeypatch.setattr(catalog, "releases", lambda: {"web": (entry,)})


@pytest.fixture
def props(kubeconfig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    publish(monkeypatch, tmp_path, THING, GADGET, webhook("hook.x.test", "web", "web"))
    return {
        "entries": {"web": "1"}, "existing": {}, "own": [TRACKING], "mirror": None,
        "labels": LABELS, "adopt": False, "storage_class": "", "volumes": [], "load_balancer": False,
        "kubeconfig": kubeconfig,
    }  # fmt: skip


def owned(props: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The inputs of the Definitions and the Drain of the same bundle."""
    items = [THING, GADGET]
    names = ["gadgets.x.test", "things.x.test"]
    return {
        "bundle": "web", "version": "1", "mirror": None, "digest": definitions.digest(items), "names": names,
        "definitions": names, "own": [], "labels": LABELS, "retain": False, "kubeconfig": props["kubeconfig"], **more,
    }  # fmt: skip


def test_an_empty_cluster_passes(props: dict[str, Any], client: Client) -> None:
    preflight.check(props)


def test_what_was_installed_by_the_stack_passes(props: dict[str, Any], client: Client) -> None:
    definitions._Provider().create(owned(props))
    preflight.check(props)


def test_what_somebody_else_installed_is_refused_in_one_message_and_untouched(
    props: dict[str, Any], client: Client
) -> None:
    client.apply(THING, field_manager="kubectl")
    client.apply(webhook("hook.x.test", "web", "web"), field_manager="kubectl")
    before = client.get(*API, "things.x.test")["metadata"]["generation"]
    with pytest.raises(BundleError) as refused:
        preflight.check(props)
    assert "CustomResourceDefinition things.x.test, ValidatingWebhookConfiguration hook.x.test" in str(refused.value)
    assert "wrote them with kubectl" in str(refused.value)
    assert client.get(*API, "things.x.test")["metadata"]["generation"] == before
    preflight.check({**props, "adopt": True})


def test_a_bundle_goes_when_the_last_object_of_its_kinds_has(props: dict[str, Any], client: Client) -> None:
    definitions._Provider().create(owned(props))
    item = {**thing("Thing", "default/one", "x.test/v1"), "spec": {}}
    client.create(item, field_manager="somebody")
    provider, gone = preflight._Provider(), {**props, "entries": {}}
    with pytest.raises(BundleError, match=r"web 1 leaves the settings, .*: things\.x\.test default/one\. Delete them"):
        provider.diff("preflight", props, gone)
    client.delete("x.test/v1", "Thing", "one", "default")
    assert provider.diff("preflight", props, gone).changes


def test_an_unsupported_server_is_refused(
    props: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, tmp_path, THING, kubernetes=">=1.30,<1.31")
    with pytest.raises(BundleError, match=r"web 1 supports Kubernetes >=1\.30,<1\.31, and this cluster has v1\."):
        preflight.check(props)


def test_a_storage_class_that_is_not_there_is_refused(props: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=r"storage_class is 'huge', and the cluster has disks"):
        preflight.check({**props, "storage_class": "huge"})


def test_a_load_balancer_is_known_by_a_service_that_has_its_address(props: dict[str, Any], client: Client) -> None:
    asked = {**props, "load_balancer": True}
    ports = [{"port": 80}]
    client.apply(thing("Service", "default/plain", spec={"ports": ports}), field_manager="a user")
    front = thing("Service", "default/front", spec={"type": "LoadBalancer", "ports": ports})
    client.apply(front, field_manager="a user")
    with pytest.raises(BundleError, match="would wait for an address for ever"):
        preflight.check(asked)
    path = "/api/v1/namespaces/default/services/front/status"
    given = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    client.request("PATCH", path, body=given, headers={"Content-Type": "application/merge-patch+json"})
    preflight.check(asked)


def test_a_namespace_of_somebody_elses_with_a_name_of_ours_is_refused(props: dict[str, Any], client: Client) -> None:
    client.apply({**TRACKING, "metadata": {"name": "tracking", "labels": {"team": "a"}}}, field_manager="kubectl")
    with pytest.raises(BundleError, match="has Namespace tracking already, from somebody who wrote them with kubectl"):
        preflight.check(props)
    client.patch("v1", "Namespace", "tracking", None, {"metadata": {"labels": LABELS}})
    preflight.check(props)
    client.delete("v1", "Namespace", "tracking")
    while client.find("v1", "Namespace", "tracking"):
        time.sleep(0.1)


def test_credentials_that_the_cluster_does_not_take_are_named(props: dict[str, Any]) -> None:
    known = json.loads(props["kubeconfig"])
    known["users"] = [{**each, "user": {"token": "expired"}} for each in known["users"]]
    with pytest.raises(ClusterError, match=r"can't be asked what it has: Unauthorized.*a new kubeconfig"):
        preflight.check({**props, "kubeconfig": json.dumps(known)})


def test_kinds_that_are_still_going_are_refused(props: dict[str, Any], client: Client) -> None:
    definitions._Provider().create(owned(props))
    thing = {"apiVersion": "x.test/v1", "kind": "Thing", "metadata": {"name": "t", "finalizers": ["x.test/held"]}}
    client.apply(thing, field_manager="a user")
    client.delete(*API, "things.x.test")
    with pytest.raises(BundleError, match=r"CustomResourceDefinition things\.x\.test is still being deleted"):
        preflight.check(props)
    client.patch("x.test/v1", "Thing", "t", "default", {"metadata": {"finalizers": None}})


def test_a_definition_that_the_cluster_refuses_is_named_with_its_bundle(
    props: dict[str, Any], client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = definition("things", "x.test", "Thing", scope="Everywhere")
    publish(monkeypatch, tmp_path, broken)
    expected = r"CustomResourceDefinition things\.x\.test of bundle web 1: .*spec\.scope.*Everywhere"
    with pytest.raises(BundleError, match=expected):
        definitions._Provider().create(owned(props, digest=definitions.digest([broken]), names=["things.x.test"]))


def test_a_drain_names_what_blocks_it(props: dict[str, Any], client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    definitions._Provider().create(owned(props))
    thing = {"apiVersion": "x.test/v1", "kind": "Thing", "metadata": {"name": "t", "finalizers": ["x.test/held"]}}
    client.apply(thing, field_manager="a user")
    client.apply({**thing, "metadata": {"name": "free"}}, field_manager="a user")
    monkeypatch.setattr(drain, "DEADLINE", 1.0)
    with pytest.raises(BundleError, match=r"web can't go.*: things default/t \(finalizers: x\.test/held\)\. What"):
        drain._Provider().delete("", owned(props))
    client.patch("x.test/v1", "Thing", "t", "default", {"metadata": {"finalizers": None}})
    drain._Provider().delete("", owned(props))
    assert not client.list("x.test/v1", "Thing")


def test_kinds_that_convert_by_a_webhook_are_not_kept_and_nothing_of_them_is_lost(
    props: dict[str, Any], client: Client
) -> None:
    converting = {**THING, "spec": {**THING["spec"], "conversion": CONVERSION}}
    client.apply(converting, field_manager="ml-platform")
    client.apply(GADGET, field_manager="ml-platform")
    definitions.await_established(client, ["gadgets.x.test", "things.x.test"], "web")
    client.apply({"apiVersion": "x.test/v1", "kind": "Thing", "metadata": {"name": "t"}}, field_manager="a user")
    kept = owned(props, retain=True)
    with pytest.raises(BundleError, match=r"converts objects that are still there.*things default/t"):
        drain._Provider().delete("", kept)
    client.delete("x.test/v1", "Thing", "t", "default")
    drain._Provider().delete("", kept)
    definitions._Provider().delete("", kept)
    assert client.get(*API, "gadgets.x.test")
    with pytest.raises(KubeError):
        client.get(*API, "things.x.test")


def test_kinds_that_an_operator_applies_itself_are_waited_for_and_go_with_it(
    props: dict[str, Any], client: Client
) -> None:
    operator = threading.Timer(0.5, lambda: client.apply(THING, field_manager="an operator"))
    operator.start()
    gate = {"bundle": "web", "namespace": "web", "probes": [], "definitions": ["things.x.test"], "trigger": ""}
    gates._Provider().create({**gate, "kubeconfig": props["kubeconfig"]})
    assert client.list("x.test/v1", "Thing") == []
    own = owned(props, names=[], own=["things.x.test"], retain=True)
    definitions._Provider().delete("", own)
    assert client.get(*API, "things.x.test"), "kinds that are kept are kept, whoever applied them"
    definitions._Provider().delete("", {**own, "retain": False})
    with pytest.raises(KubeError):
        client.get(*API, "things.x.test")


def test_kinds_that_no_operator_applies_are_named_with_their_bundle(
    props: dict[str, Any], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "DEADLINE", 0.5)
    with pytest.raises(BundleError, match=r"CRDs of bundle web are not established: things\.x\.test \(absent\)"):
        definitions.await_established(client, ["things.x.test"], "web")


def test_a_webhook_that_nobody_serves_is_named_with_its_bundle_and_its_pods(
    props: dict[str, Any], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions._Provider().create(owned(props))
    client.apply(webhook("hook.x.test", "web", "default"), field_manager="ml-platform")
    monkeypatch.setattr(gates, "DEADLINE", 1.0)
    thing = {"apiVersion": "x.test/v1", "kind": "Thing", "metadata": {"name": "probe", "namespace": "default"}}
    probe = {"webhook": "hook.x.test", "pods": "app=web", "manifest": thing}
    gate = {"bundle": "web", "namespace": "default", "probes": [probe], "definitions": ["things.x.test"]}
    with pytest.raises(BundleError) as refused:
        gates._Provider().create({**gate, "kubeconfig": props["kubeconfig"]})
    said = str(refused.value)
    assert "Webhook hook.x.test of bundle web does not answer" in said
    assert 'service "web" not found' in said
    assert "No pod in namespace default has the labels app=web." in said
    assert not client.list("x.test/v1", "Thing"), "a probe is never stored"


def test_a_cluster_is_known_again_and_another_one_refused(props: dict[str, Any], client: Client) -> None:
    provider = preflight._Provider()
    known = provider.create(props).outs or {}
    assert provider.update("preflight", known, props).outs == known
    with pytest.raises(BundleError, match="another cluster than last time"):
        provider.update("preflight", {**known, "cluster": "another"}, props)
