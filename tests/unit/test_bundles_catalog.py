"""The catalog fits what it points to, and refuses what does not fit together."""

from pathlib import Path

import pytest
from ml_platform.bundles import catalog
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.phases import Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.source import render
from ml_platform.bundles.transforms import image_map

pytestmark = pytest.mark.unit

NAMES = sorted(catalog.releases())


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_renders_as_recorded(name: str) -> None:
    assert load(catalog.entry(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_image_of_an_entry_is_used_by_it_and_named_in_it(name: str) -> None:
    entry = catalog.entry(name)
    marked = {image: f"mapped/{image}" for image in entry.images}
    transform = image_map(entry.images, marked)
    text = str([transform(item) for item in load(entry)])
    assert all(reference in text for reference in marked.values()), "an image that nothing uses"


@pytest.mark.parametrize("name", NAMES)
def test_roles_name_what_they_allow(name: str) -> None:
    for item in load(catalog.entry(name)):
        for rule in item.get("rules", []) if "Role" in item["kind"] else []:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}, item["metadata"]["name"]


@pytest.mark.parametrize("name", NAMES)
def test_every_container_is_sized_and_restricted(name: str) -> None:
    deployments = [item for item in load(catalog.entry(name)) if item["kind"] == "Deployment"]
    for item in deployments:
        pod = item["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert {"requests", "limits"} <= set(container["resources"])
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_changed_source_is_refused_with_both_digests(tmp_path: Path) -> None:
    entry = catalog.entry("kserve")
    folder = tmp_path / entry.source.path
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("kind: Other\n")
    with pytest.raises(BundleError, match=f"kserve.*sha256 [0-9a-f]{{64}}.*{entry.source.sha256}"):
        render(entry, tmp_path)


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="kserve"):
        render(catalog.entry("kserve"), tmp_path)


@pytest.mark.parametrize(
    ("server", "supported"), [("v1.33.9", False), ("v1.34.0", True), ("1.36+", True), ("v1.38.0", False)]
)
def test_the_window_of_kubernetes_versions(server: str, supported: bool) -> None:
    assert catalog.entry("knative-serving").supports(server) is supported


@pytest.mark.parametrize(
    ("chosen", "message"),
    [({"kserve"}, "'kserve' needs 'knative-serving'"), ({"istio"}, "no bundle 'istio'")],
)
def test_an_impossible_choice_is_refused(chosen: set[str], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        catalog.check(chosen)


def test_the_phases_of_a_release() -> None:
    phases = by_phase(load(catalog.entry("kserve")))
    kinds = {phase: {item["kind"] for item in items} for phase, items in phases.items()}
    assert kinds[Phase.NAMESPACES] == {"Namespace"}
    assert kinds[Phase.DEFINITIONS] == {"CustomResourceDefinition"}
    assert kinds[Phase.WORKLOADS] == {"Deployment", "Service"}
    assert kinds[Phase.WEBHOOKS] == {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
    assert kinds[Phase.CUSTOM] == {"ClusterServingRuntime", "ClusterStorageContainer"}
