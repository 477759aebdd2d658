"""The catalog: pinned, consistent with itself, and with the releases that it points to where a mirror has them."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.phases import Phase, by_phase
from ml_platform.bundles.pipeline import load

pytestmark = pytest.mark.unit

ENTRIES = tuple(chain.from_iterable(catalog.releases().values()))
LEAN = tuple(entry for entry in ENTRIES if entry.version.endswith("-lean"))
UPSTREAM = tuple(entry for entry in ENTRIES if entry not in LEAN)

# Webhooks that no object alone makes refuse anything, or that can't be told from another. What serves each of them is
# proven to answer by another webhook of the same server.
UNPROBED = {
    "defaulter.experiment.katib.kubeflow.org": "only sets defaults",
    "mpvcviewer.kb.io": "only sets defaults",
    "mutator.pod.katib.kubeflow.org": "only adds to pods, in namespaces of profiles",
    "poddefaults-webhook-deployment.kubeflow.org": "only adds to pods, in namespaces of profiles; it is alone there",
    "defaulter.trainjob.trainer.kubeflow.org": "only sets defaults",
    "inferenceservice.kserve-webhook-server.defaulter": "only sets defaults",
    "mutate--v1-pod.x-k8s.io": "only sets defaults",
    "mutate-jobset-x-k8s-io-v1alpha2-jobset.x-k8s.io": "only sets defaults",
    "mutate-sparkoperator-k8s-io-v1alpha1-sparkconnect.sparkoperator.k8s.io": "only sets defaults",
    "mutate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication.sparkoperator.k8s.io": "only sets defaults",
    "mutate-sparkoperator-k8s-io-v1beta2-sparkapplication.sparkoperator.k8s.io": "only sets defaults",
    "webhook.istio.networking.internal.knative.dev": "only sets defaults",
    "namespace.sidecar-injector.istio.io": "asked only for namespaces that ask for sidecars",
    "rev.namespace.sidecar-injector.istio.io": "asked only for namespaces that ask for sidecars",
    "rev.validation.istio.io": "whatever it refuses, validation.istio.io refuses at the same moment",
}


def each(entries: tuple[Entry, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry.title.replace(" ", "-"))


def test_the_core_of_the_platform_is_in_it() -> None:
    assert {
        "cert-manager", "gateway-api", "istio-base", "istio-gateway", "istiod", "jobset", "knative-serving", "kserve",
        "kuberay", "net-istio", "spark-operator", "stackable-commons", "stackable-listener", "stackable-secret",
        "stackable-spark", "trainer", "training-operator",
    } <= set(catalog.releases())  # fmt: skip


def test_upstream_comes_before_lean() -> None:
    assert all(releases[0] in UPSTREAM for releases in catalog.releases().values())


@pytest.mark.parametrize("name", sorted(catalog.releases()))
def test_a_version_is_in_it_once(name: str) -> None:
    versions = [entry.version for entry in catalog.releases()[name]]
    assert len(set(versions)) == len(versions)


@each(ENTRIES)
def test_what_an_entry_needs_or_excludes_is_in_it(entry: Entry) -> None:
    for name in (*entry.needs, *entry.excludes):
        assert catalog.entry(name.split()[0])
        assert name != entry.name


def test_all_defaults_fit_together() -> None:
    catalog.check(releases[0] for releases in catalog.releases().values())


@each(UPSTREAM)
def test_every_release_is_pinned_by_commit_and_digest(entry: Entry) -> None:
    for part in entry.parts:
        assert part.source.kind == "git", "its repository holds what it is made of"
        assert part.version.removeprefix("v") == entry.version


@each(UPSTREAM)
def test_every_image_has_a_version(entry: Entry) -> None:
    for reference in (*entry.images.values(), *(image.image for image in entry.runtime_images)):
        assert re.search(r":v?\d|@sha256:[0-9a-f]{64}$", reference), reference


@each(ENTRIES)
def test_whatever_is_said_of_a_release_says_why(entry: Entry) -> None:
    edits = (edit for part in entry.parts for edit in part.edits)
    assert all(said.why for said in (*entry.rules, *entry.runtime_images, *edits))


@each(ENTRIES)
def test_an_entry_says_what_kubernetes_it_is_for(entry: Entry) -> None:
    lowest, highest = (bound.strip("<>=") for bound in entry.kubernetes.split(","))
    assert entry.supports(lowest)
    assert not entry.supports(highest)


def test_all_of_upstream_runs_on_one_version_of_kubernetes() -> None:
    assert all(releases[0].supports("v1.35.4") for releases in catalog.releases().values())


@each(UPSTREAM)
def test_bundles_of_one_namespace_agree_on_its_pod_security(entry: Entry) -> None:
    levels = {other.pod_security for other in catalog.requirements(entry) if other.namespace == entry.namespace}
    assert levels <= {entry.pod_security}


@pytest.mark.mirror
@each(UPSTREAM)
def test_every_image_of_an_entry_is_in_its_release(entry: Entry) -> None:
    text = str(load(entry))
    named = {image for image in entry.images.values() if image in text}
    assert set(entry.images.values()) - named <= {image.image for image in entry.runtime_images}


@pytest.mark.mirror
@each(UPSTREAM)
def test_every_image_in_a_pod_of_a_release_can_be_mapped(entry: Entry) -> None:
    pods = [item["spec"]["template"]["spec"] for item in load(entry) if is_workload(item)]
    images = {container["image"] for pod in pods for container in pod["containers"] + pod.get("initContainers", [])}
    assert images - {"auto"} <= set(entry.images.values())


@pytest.mark.mirror
@each(UPSTREAM)
def test_every_workload_has_a_small_and_a_large_size(entry: Entry) -> None:
    workloads = {item["metadata"]["name"]: item for item in load(entry) if is_workload(item)}
    for size in ("small", "large"):
        assert set(entry.sizes.get(size, {})) == set(workloads)
    bare = {name for name, item in workloads.items() if "resources" not in first_container(item)}
    assert bare <= set(entry.sizes.get("standard", {})), "the release names no resources"
    assert set(entry.sizes.get("standard", {})) <= set(workloads)


@pytest.mark.mirror
@each(UPSTREAM)
def test_every_webhook_that_can_block_is_probed(entry: Entry) -> None:
    if blocking := blocking_webhooks(entry):
        probing = [entry, *(other for other in UPSTREAM if entry in catalog.requirements(other))]
        probed = {probe.webhook for each in probing for probe in each.probes}
        assert set(blocking) <= probed | set(UNPROBED)


@pytest.mark.mirror
@each(UPSTREAM)
def test_every_probe_is_for_a_webhook_that_its_pods_serve(entry: Entry) -> None:
    objects = [item for each in (entry, *catalog.requirements(entry)) for item in load(each)]
    webhooks = {webhook["name"]: webhook for item in webhook_configurations(objects) for webhook in item["webhooks"]}
    services = {item["metadata"]["name"]: item["spec"] for item in load(entry) if item["kind"] == "Service"}
    pods = [item["spec"]["template"]["metadata"]["labels"] for item in load(entry) if is_workload(item)]
    for probe in entry.probes:
        served_by = services[webhooks[probe.webhook]["clientConfig"]["service"]["name"]]["selector"]
        chosen = dict(term.split("=") for term in probe.pods.split(","))
        assert [labels for labels in pods if chosen.items() <= labels.items()] == [
            labels for labels in pods if served_by.items() <= labels.items()
        ]


@pytest.mark.mirror
@each(UPSTREAM)
def test_every_certificate_is_for_a_service_and_a_deployment_of_the_release(entry: Entry) -> None:
    objects = {(item["kind"], item["metadata"]["name"]): item for item in load(entry)}
    for certificate in entry.certificates:
        assert ("Service", certificate.service) in objects
        volumes = objects["Deployment", certificate.deployment]["spec"]["template"]["spec"]["volumes"]
        assert certificate.secret in [volume["secret"]["secretName"] for volume in volumes if "secret" in volume]


@each(LEAN)
def test_every_image_of_a_lean_release_is_used_by_it(entry: Entry) -> None:
    text = str(load(entry))
    assert all(f"'{image}'" in text or f'"{image}"' in text for image in entry.images)


@each(LEAN)
def test_lean_roles_name_what_they_allow(entry: Entry) -> None:
    for item in load(entry):
        for rule in item.get("rules", []) if "Role" in item["kind"] else []:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}, item["metadata"]["name"]


@each(LEAN)
def test_no_lean_component_reads_secrets_of_every_namespace_but_by_their_name(entry: Entry) -> None:
    for item in load(entry):
        for rule in item.get("rules", []) if item["kind"] == "ClusterRole" else []:
            assert "secrets" not in rule["resources"] or rule.get("resourceNames"), item["metadata"]["name"]


@each(LEAN)
def test_every_lean_container_is_sized_and_restricted(entry: Entry) -> None:
    for item in filter(is_workload, load(entry)):
        pod = item["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert {"requests", "limits"} <= set(container["resources"])
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("server", "supported"), [("v1.33.9", False), ("v1.34.0", True), ("1.36+", True), ("v1.37.0", False)]
)
def test_the_window_of_kubernetes_versions(server: str, supported: bool) -> None:
    assert catalog.entry("knative-serving").supports(server) is supported


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [("linkerd", None, "no bundle 'linkerd'"), ("kserve", "0.1", "no version '0.1' of bundle 'kserve'.*0.20.0")],
)
def test_what_is_not_in_it_is_refused(name: str, version: str | None, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        catalog.entry(name, version)


@pytest.mark.parametrize(
    ("knative", "layer", "way_out"),
    [("1.22.1", "1.23.0", "choose net-istio 1.22.1"), ("1.23.0", "1.22.1", "choose net-istio 1.23.0")],
)
def test_releases_of_different_lines_are_refused(knative: str, layer: str, way_out: str) -> None:
    chosen = {each.name: each for each in (releases[0] for releases in catalog.releases().values())}
    chosen["knative-serving"] = catalog.entry("knative-serving", knative)
    chosen["net-istio"] = catalog.entry("net-istio", layer)
    with pytest.raises(BundleError, match=f"needs knative-serving 1.*knative-serving {knative} is chosen: {way_out}"):
        catalog.check(chosen.values())
    chosen["net-istio"] = catalog.entry("net-istio", knative)
    catalog.check(chosen.values())


def test_what_excludes_another_is_refused_beside_it() -> None:
    alone = catalog.entry("kuberay").model_copy(update={"excludes": ("cert-manager",)})
    catalog.check([alone])
    with pytest.raises(BundleError, match="'kuberay' and 'cert-manager' exclude each other: leave one of them out"):
        catalog.check([catalog.entry("cert-manager"), alone])


def test_what_is_missing_is_refused_before_anything_is_touched() -> None:
    with pytest.raises(BundleError, match="'trainer' needs 'jobset'"):
        catalog.check([catalog.entry("trainer")])


@pytest.mark.mirror
def test_the_phases_of_a_release() -> None:
    phases = by_phase(load(catalog.entry("kserve")))
    kinds = {phase: {item["kind"] for item in items} for phase, items in phases.items()}
    assert kinds[Phase.NAMESPACES] == {"Namespace"}
    assert kinds[Phase.DEFINITIONS] == {"CustomResourceDefinition"}
    assert kinds[Phase.WORKLOADS] == {"Deployment", "Service"}
    assert kinds[Phase.WEBHOOKS] == {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
    assert kinds[Phase.CUSTOM] >= {"ClusterServingRuntime", "ClusterStorageContainer"}


def is_workload(item: dict[str, Any]) -> bool:
    return item["kind"] in ("DaemonSet", "Deployment", "StatefulSet")


def first_container(item: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = item["spec"]["template"]["spec"]["containers"][0]
    return container


def webhook_configurations(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (item for item in objects if item["kind"].endswith("WebhookConfiguration"))


def blocking_webhooks(entry: Entry) -> list[str]:
    """Of admission: without a policy it is Fail."""
    webhooks = [webhook for item in webhook_configurations(load(entry)) for webhook in item["webhooks"]]
    return [webhook["name"] for webhook in webhooks if webhook.get("failurePolicy", "Fail") == "Fail"]
