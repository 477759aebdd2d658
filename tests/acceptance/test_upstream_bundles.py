"""Every file of the mirror through the pipeline, and every object of it before a real API server.

Each release starts from an empty cluster: what it needs of others is what its entry says. Fields are validated
strictly, so that one that a schema does not have is refused and not pruned.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest
from ml_platform.bundles import catalog, definitions
from ml_platform.bundles.catalog import Entry, PodSecurity, Size
from ml_platform.bundles.kinds import DEFINITION, group
from ml_platform.bundles.parallel import each
from ml_platform.bundles.parse import Object
from ml_platform.bundles.phases import Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.transforms import Transform, compose, image_map, labels, pod_security, resource_sizes
from ml_platform.kube import AlreadyExists, Client, KubeError
from support import mirrored
from support.control_plane import ControlPlane
from support.strict import refusal, served

pytestmark = pytest.mark.acceptance

PINNED = {entry.title for entry in mirrored.pinned()}
STRICTER: dict[PodSecurity, PodSecurity] = {"baseline": "restricted", "privileged": "baseline"}
CERT_MANAGER = catalog.entry("cert-manager")
SIZES: Sequence[Size] = ("small", "standard", "large")


@dataclass(frozen=True)
class Installed:
    """A release on a cluster, but for its webhook configurations, which nothing would answer here."""

    entry: Entry
    client: Client
    phases: dict[Phase, list[Object]]
    refused: list[str]


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest, plane: ControlPlane) -> Iterator[Installed]:
    entry: Entry = request.param
    with plane.scratch() as client:
        yield install(entry, client)


def of(releases: Sequence[Entry]) -> pytest.MarkDecorator:
    """Those of the catalog are the first of all: by the same place in both lists, pytest knows a release again."""
    names = [entry.title.replace(" ", "-") for entry in releases]
    return pytest.mark.parametrize("installed", releases, ids=names, indirect=True)


@of(mirrored.releases())
def test_every_object_is_accepted(installed: Installed) -> None:
    # Webhook configurations last, and not for good: nothing here answers for them.
    gates = each(lambda item: refusal(installed.client, item, dry_run=True), installed.phases[Phase.WEBHOOKS])
    assert not [*installed.refused, *filter(None, gates)]


@of(mirrored.pinned())
def test_only_its_webhook_refuses_a_probe(installed: Installed) -> None:
    for probe in installed.entry.probes:
        served(installed.client, probe.manifest)
        with suppress(AlreadyExists):  # the webhook is asked before that is looked at
            installed.client.create(probe.manifest, field_manager="test", dry_run=True)


@of(mirrored.pinned())
def test_every_size_fits_into_the_limits(installed: Installed) -> None:
    for size in SIZES:
        sized = compose([resource_sizes(installed.entry.sizes.get(size, {}))])
        workloads = [sized(item) for item in installed.phases[Phase.WORKLOADS] if pod_of(item)]
        assert not list(filter(None, (refusal(installed.client, item, dry_run=True) for item in workloads))), size


@of(mirrored.pinned())
def test_pods_fit_the_standard_of_their_namespace(installed: Installed) -> None:
    assert not pods_refused(installed, installed.entry.pod_security)


def test_no_stricter_standard_would_do(plane: ControlPlane) -> None:
    """Of a namespace: all releases that share it have the level that one of them needs."""
    entries = [entry for entry in mirrored.pinned() if entry.pod_security != "restricted"]
    by_namespace = {
        entry.namespace: [each for each in entries if each.namespace == entry.namespace] for entry in entries
    }
    with plane.scratch() as client:
        for namespace, neighbours in by_namespace.items():
            wanted = STRICTER[neighbours[0].pod_security]
            releases = [Installed(entry, client, by_phase(load(entry)), []) for entry in neighbours]
            assert any(pods_refused(release, wanted) for release in releases), f"{namespace} could be {wanted}"


def install(entry: Entry, client: Client) -> Installed:
    objects = load(entry)
    change = generic(entry)
    phases = {phase: list(map(change, items)) for phase, items in by_phase(objects, entry.own_definitions).items()}
    needed = [item for other in catalog.requirements(entry) for item in load(other)]
    if entry.name != CERT_MANAGER.name and any(group(item) == "cert-manager.io" for item in objects):
        needed += load(CERT_MANAGER)  # no release needs it: the stack may issue the certificates
    used = {(group(item), item["kind"]) for item in (*objects, *(probe.manifest for probe in entry.probes))}
    namespaces = [item for item in needed if item["kind"] == "Namespace"] + phases[Phase.NAMESPACES]
    if entry.namespace not in {item["metadata"]["name"] for item in namespaces}:  # it expects to find its own
        namespaces.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": entry.namespace}})
    refused = [refusal(client, item) for item in namespaces]
    borrowed = [item for item in needed if item["kind"] == DEFINITION and defines(item) in used]
    refused += define(client, [*phases[Phase.DEFINITIONS], *borrowed], used if entry.title not in PINNED else None)
    for phase in (Phase.CONFIGURATION, Phase.WORKLOADS, Phase.CUSTOM):
        refused += each(lambda item: refusal(client, item), phases[phase])
    return Installed(entry, client, phases, list(filter(None, refused)))


def define(client: Client, items: Sequence[Object], used: set[tuple[str, str]] | None) -> list[str | None]:
    """CRDs, established. Of a release that is not in the catalog, kinds without an object are only tried: to serve
    a kind costs the API server more than all else."""
    served = [item for item in items if used is None or defines(item) in used]
    tried = [item for item in items if item not in served]
    refused = each(lambda item: refusal(client, item), served)
    refused += each(lambda item: refusal(client, item, dry_run=True), tried)
    definitions.await_established(client, [item["metadata"]["name"] for item in served], "test")
    return refused


def generic(entry: Entry) -> Transform:
    """What every bundle gets."""
    return compose([
        image_map(entry.images, {}, "registry.test/mirror"),
        labels({"ml-platform/stack": "test"}),
        pod_security(entry.pod_security),
        resource_sizes(entry.sizes.get("standard", {})),
    ])  # fmt: skip


def defines(definition: Object) -> tuple[str, str]:
    return definition["spec"]["group"], definition["spec"]["names"]["kind"]


def pods_refused(release: Installed, level: PodSecurity) -> list[str]:
    """The pods of a release that a namespace of that level refuses."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"level-{level}"}}
    release.client.apply(pod_security(level)(namespace), field_manager="test")
    refused = []
    for item in release.phases[Phase.WORKLOADS]:
        if pod := pod_of(item):
            meta = {"name": item["metadata"]["name"], "namespace": f"level-{level}"}
            body = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": meta,
                "spec": pod | {"serviceAccountName": "default"},
            }
            refused.append(tried(release.client, body))
    return list(filter(None, refused))


def tried(client: Client, pod: Object) -> str | None:
    end = time.monotonic() + 10
    while True:
        try:
            client.create(pod, field_manager="test", dry_run=True)
            return None
        except KubeError as error:
            # The account of a new namespace takes a moment.
            if "serviceaccount" not in error.message or time.monotonic() > end:
                return error.message
            time.sleep(0.1)


def pod_of(item: Object) -> Object | None:
    if item["kind"] not in ("DaemonSet", "Deployment", "Job", "StatefulSet"):
        return None
    pod: Object = item["spec"]["template"]["spec"]
    return pod
