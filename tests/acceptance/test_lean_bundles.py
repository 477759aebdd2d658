"""Every object of every lean release in the catalog, given to a real API server without controllers."""

from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.bundles import catalog, definitions, drain
from ml_platform.bundles.phases import Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.transforms import ca_bundle, compose, image_map, labels, pod_security
from ml_platform.kube import Client, KubeError
from support.control_plane import ControlPlane

pytestmark = pytest.mark.acceptance

# Webhook configurations come last: nothing answers them here.
ORDER = [phase for phase in Phase if phase not in (Phase.DEFINITIONS, Phase.WEBHOOKS)] + [Phase.WEBHOOKS]
PEM = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"


LEAN = [entry for entries in catalog.releases().values() for entry in entries if entry.version.endswith("-lean")]
each_release = pytest.mark.parametrize("entry", LEAN, ids=lambda entry: entry.name)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of an API server of its own: one that had kinds taken from below it does not remove them in order any more."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane.kubeconfig


@pytest.fixture(scope="module")
def client(kubeconfig: str) -> Client:
    return Client.from_kubeconfig(kubeconfig)


@each_release
def test_every_object_is_accepted(entry: catalog.Entry, client: Client, kubeconfig: str) -> None:
    images = {image: f"registry.test/{image}@sha256:{'0' * 64}" for image in entry.images}
    transform = compose([
        image_map(entry.images, images), labels({"ml-platform/stack": "test"}), pod_security("restricted"),
    ])  # fmt: skip
    phases = by_phase(load(entry))
    definitions._Provider().act(properties(entry, phases[Phase.DEFINITIONS], kubeconfig))
    refused = [
        f"{item['kind']} {item['metadata']['name']}: {error.message}"
        for phase in ORDER
        for item in map(transform, phases[phase])
        if (error := apply(client, item))
    ]
    assert not refused


@each_release
def test_definitions_are_established_and_go_when_told_to(entry: catalog.Entry, client: Client, kubeconfig: str) -> None:
    items = by_phase(load(entry))[Phase.DEFINITIONS]
    props = properties(entry, items, kubeconfig)
    provider = definitions._Provider()
    outputs = provider.create(props).outs or {}
    assert not provider.diff("", outputs, props).changes
    moved = provider.diff("", outputs, {**props, "kubeconfig": "another"})
    assert moved.changes
    assert not moved.replaces, "a new kubeconfig must not remove every custom resource"
    assert not provider.diff("", provider.read("id", outputs).outs or {}, props).changes
    half = {"metadata": {"annotations": {definitions.DIGEST: "of another update, that was killed"}}}
    client.patch(definitions.API_VERSION, definitions.KIND, props["names"][0], None, half)
    assert provider.diff("", provider.read("id", outputs).outs or {}, props).changes
    provider.delete("", {**outputs, "retain": True})
    assert present(client) >= set(props["names"])
    definitions._remove(client, props["names"][:1], entry.title)
    found = provider.read("id", outputs)
    assert found.id == "id"
    assert provider.diff("", found.outs or {}, props).changes, "a refresh finds what went, and the next update makes it"
    provider.delete("", outputs)
    assert not present(client) & set(props["names"])
    assert provider.read("id", outputs).id == ""


def properties(entry: catalog.Entry, items: list[definitions.Object], kubeconfig: str) -> dict[str, Any]:
    return {
        "bundle": entry.name,
        "version": entry.version,
        "mirror": None,
        "own": [],
        "digest": definitions.digest(items),
        "names": sorted(item["metadata"]["name"] for item in items),
        "labels": {"ml-platform/stack": "test"},
        "retain": False,
        "kubeconfig": kubeconfig,
    }


def apply(client: Client, item: definitions.Object) -> KubeError | None:
    try:
        client.apply(ca_bundle("kserve-webhook-server-service", PEM)(item), field_manager="test", force=True)
    except KubeError as error:
        return error
    return None


def present(client: Client) -> set[str]:
    found = client.list(definitions.API_VERSION, definitions.KIND)
    return {item["metadata"]["name"] for item in found}


def test_a_drain_leaves_no_object_of_its_kinds(client: Client, kubeconfig: str) -> None:
    entry = next(entry for entry in LEAN if entry.name == "kserve")
    items = by_phase(load(entry))[Phase.DEFINITIONS]
    props = properties(entry, items, kubeconfig)
    definitions._Provider().act(props)
    kind = ("serving.kserve.io/v1alpha1", "ClusterStorageContainer")
    own = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "own"}}
    client.apply(own, field_manager="a user")
    provider = drain._Provider()
    provider.delete("", {**props, "definitions": props["names"], "retain": True})
    assert client.list(*kind), "retained kinds keep their objects"
    provider.delete("", {**props, "definitions": props["names"]})
    assert not client.list(*kind)
