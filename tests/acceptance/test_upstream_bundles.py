"""Real upstream releases through the pipeline: what the lean bundles go through, they get through too.

The releases lie beside the repository where they exist at all; nothing of them is in it.
"""

import hashlib
from pathlib import Path

import pytest
from ml_platform.bundles import catalog, definitions
from ml_platform.bundles.catalog import Entry, FileSource, Rule
from ml_platform.bundles.phases import Phase, by_phase
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.source import REPOSITORY
from ml_platform.kube import Client
from support.control_plane import ControlPlane

pytestmark = pytest.mark.acceptance

MIRROR = REPOSITORY.parent / "shared" / "upstream"

if not MIRROR.is_dir():
    pytest.skip(f"no upstream releases at {MIRROR.name}: put a mirror beside the checkout", allow_module_level=True)

CONTROLLER_OWNED = [
    Rule(action="remove", kind=kind, path="webhooks.*.rules", why="the webhook writes them")
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
]
CERT_MANAGER = [
    Rule(action="drop", kind=kind, why="cert-manager is not installed") for kind in ("Certificate", "Issuer")
]


def entry(name: str, file: str, namespace: str, rules: list[Rule]) -> Entry:
    digest = hashlib.sha256((MIRROR / file).read_bytes()).hexdigest()
    return Entry(
        name=name,
        version=Path(file).stem,
        licence="Apache-2.0",
        namespace=namespace,
        kubernetes=">=1.34,<1.38",
        source=FileSource(kind="file", path=file, sha256=digest),
        rules=tuple(rules),
    )


@pytest.mark.parametrize(
    ("name", "file", "namespace", "rules", "definitions", "workloads"),
    [
        ("knative-serving", "knative-serving/v1.23.0.yaml", "knative-serving", CONTROLLER_OWNED, 12, 4),
        ("kserve", "kserve/v0.20.0.yaml", "kserve", CERT_MANAGER, 0, 1),
        ("kserve-crds", "kserve-crds/v0.20.0.yaml", "kserve", [], 6, 0),
        ("kserve-runtimes", "kserve-runtimes/v0.20.0.yaml", "kserve", [], 0, 0),
    ],
)
def test_a_release_comes_through_whole(
    name: str, file: str, namespace: str, rules: list[Rule], definitions: int, workloads: int
) -> None:
    phases = by_phase(load(entry(name, file, namespace, rules), MIRROR))
    deployments = [item for item in phases[Phase.WORKLOADS] if item["kind"] == "Deployment"]
    assert len(phases[Phase.DEFINITIONS]) == definitions
    assert len(deployments) == workloads
    assert all(item["metadata"].get("namespace") for item in deployments)
    webhooks = [hook for item in phases[Phase.WEBHOOKS] for hook in item["webhooks"]]
    assert name != "knative-serving" or not any("rules" in hook for hook in webhooks)


def test_lean_and_upstream_knative_declare_the_same_kinds() -> None:
    upstream = entry("knative-serving", "knative-serving/v1.23.0.yaml", "knative-serving", [])
    assert names(load(catalog.entry("knative-serving"))) == names(load(upstream, MIRROR))


def test_lean_custom_resources_fit_the_real_schemas(tmp_path: Path) -> None:
    real = by_phase(load(entry("kserve-crds", "kserve-crds/v0.20.0.yaml", "kserve", []), MIRROR))[Phase.DEFINITIONS]
    lean = by_phase(load(catalog.entry("kserve")))[Phase.CUSTOM]
    kinds = {item["kind"] for item in lean}
    real = [item for item in real if item["spec"]["names"]["kind"] in kinds]
    with ControlPlane(tmp_path) as plane:
        client = Client.from_kubeconfig(plane.kubeconfig)
        for item in real:
            client.apply(item, field_manager="test")
        definitions._wait(client, names(real), definitions._established, "are not established")
        for item in lean:
            kind = client.resource(item["apiVersion"], item["kind"])
            # Strict: a field that the real schema does not have is refused, not pruned.
            client.request("POST", kind.path(), params={"fieldValidation": "Strict"}, body=item)


def names(items: list[definitions.Object]) -> set[str]:
    return {item["metadata"]["name"] for item in items if item["kind"] == definitions.KIND}
