"""A bundle as the engine sees it: parents, order, what dies with its namespace, and what it shares with others."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.transforms import config_data
from support import recorder
from support.made_up import LABELS, MadeUp, definition, deployment, release, thing, webhook
from support.recorder import Recorder

pytestmark = pytest.mark.unit

LEAN = Installation(
    kubeconfig="{}", labels=LABELS, images={}, versions={"knative-serving": "1.23.0-lean"}
).entry("knative-serving")  # fmt: skip
RBAC = "rbac.authorization.k8s.io/v1"
CERT_MANAGER = "cert-manager.io/v1"
CERTIFICATES = [{"secret": "web-cert", "service": "web", "deployment": "web"}]
WEB = [
    deployment("home/web"),
    webhook("web.x.test", "web"),
    thing("Secret", "home/web-cert"),
    thing("Certificate", "home/web", CERT_MANAGER, spec={"secretName": "web-cert"}),
]


@pytest.fixture(scope="module")
def tree() -> Recorder:
    images = {image: f"registry.test/{image}" for image in LEAN.images}
    return recorded(MadeUp(images=images, releases=[LEAN]), BundleArgs, "knative-serving")


def recorded(installation: MadeUp, args: Callable[..., BundleArgs], *bundles: str) -> Recorder:
    def program() -> None:
        for name in bundles:
            Bundle(name, args(installation=installation, bundle=name))

    return recorder.record(program)


def after(tree: Recorder, kind: str, name: str) -> set[str]:
    """Kind/name of all that a resource waits for, whatever is between."""
    found: set[str] = set()
    pending = list(tree.find(kind, name).dependencies)
    while pending:
        urn = pending.pop()
        if urn not in found:
            found.add(urn)
            pending += tree.requests[urn].dependencies
    return {f"{tree.requests[urn].type.rpartition(':')[2]}/{tree.requests[urn].name}" for urn in found}


def kinds(tree: Recorder, kind: str) -> list[str]:
    return [request.name for request in tree.requests.values() if request.type.rpartition(":")[2] == kind]


def test_every_object_is_a_child_of_the_bundle(tree: Recorder) -> None:
    children = [request for request in tree.requests.values() if request.type.startswith("kubernetes:")]
    assert len(children) > 40
    assert all(request.parent.endswith("ml-platform:bundles:Bundle::knative-serving") for request in children)


def test_no_definition_goes_through_the_engine(tree: Recorder) -> None:
    assert not kinds(tree, "CustomResourceDefinition")


@pytest.mark.parametrize(
    ("kind", "name", "waits_for"),
    [
        ("ConfigMap", "config-domain", "Namespace/knative-serving-knative-serving"),
        ("Deployment", "controller", "ConfigMap/knative-serving-config-domain"),
        ("Deployment", "controller", "Definitions/knative-serving-definitions"),
        ("MutatingWebhookConfiguration", "webhook.serving.knative.dev", "Deployment/knative-serving-webhook"),
        ("Gate", "gate", "MutatingWebhookConfiguration/knative-serving-webhook.serving.knative.dev"),
        ("Drain", "drain", "Gate/knative-serving-gate"),
    ],
)
def test_the_phases_follow_each_other(tree: Recorder, kind: str, name: str, waits_for: str) -> None:
    assert waits_for in after(tree, kind, f"knative-serving-{name}")


@pytest.mark.parametrize(
    ("kind", "name", "passive"),
    [
        ("ConfigMap", "config-domain", True),
        ("Service", "webhook", True),
        ("Deployment", "webhook", False),
        ("ClusterRole", "knative-serving-webhook", False),
    ],
)
def test_what_is_passive_dies_with_its_namespace(tree: Recorder, kind: str, name: str, passive: bool) -> None:
    assert bool(tree.find(kind, f"knative-serving-{name}").deletedWith) is passive


def test_fields_that_the_webhook_writes_are_not_declared(tree: Recorder) -> None:
    inputs = tree.inputs("MutatingWebhookConfiguration", "knative-serving-webhook.serving.knative.dev")
    (hook,) = inputs["webhooks"]
    assert not {"rules", "namespaceSelector"} & set(hook)
    assert "caBundle" not in hook["clientConfig"]


@pytest.mark.parametrize("count", [40, 80])
def test_dependencies_grow_with_the_objects_and_not_with_their_square(tmp_path: Path, count: int) -> None:
    objects = [
        *(thing("ConfigMap", f"home/c-{number}") for number in range(count)),
        *(deployment(f"home/d-{number}") for number in range(count)),
        *(webhook(f"w-{number}.x.test", "web") for number in range(3)),
        definition("things", "x.test", "Thing"),
        *(thing("Thing", f"home/t-{number}", "x.test/v1") for number in range(count)),
    ]
    tree = recorded(MadeUp(releases=[release(tmp_path, "home", objects)]), BundleArgs, "home")
    assert sum(len(request.dependencies) for request in tree.requests.values()) < 6 * count + 30
    waits = after(tree, "Thing", "home-t-0")
    assert {f"ConfigMap/home-c-{number}" for number in range(count)} <= waits
    assert {f"Deployment/home-d-{number}" for number in range(count)} <= waits


def test_everything_waits_for_what_the_installation_waits_for(tmp_path: Path) -> None:
    objects = [thing("ConfigMap", "home/c"), deployment("home/d")]
    made = release(tmp_path, "home", objects)

    def program() -> None:
        preflight = [pulumi.Stash("preflight", input="1"), pulumi.Stash("another", input="1")]
        installation = MadeUp(releases=[made], after=preflight)
        Bundle("home", BundleArgs(installation=installation, bundle="home"))

    tree = recorder.record(program)
    assert {"Stash/preflight", "Stash/another"} <= after(tree, "Namespace", "home-home")


def test_the_stack_issues_the_certificates_where_no_cert_manager_runs(tmp_path: Path) -> None:
    made = release(tmp_path, "home", WEB, certificates=CERTIFICATES)
    tree = recorded(MadeUp(releases=[made]), BundleArgs, "home")
    assert tree.inputs("WebhookCertificate", "home-web")["dns_names"][0] == "web.home.svc"
    assert set(tree.inputs("Secret", "home-web-cert")["data"]) == {"tls.crt", "tls.key"}
    (hook,) = tree.inputs("ValidatingWebhookConfiguration", "home-web.x.test")["webhooks"]
    assert hook["clientConfig"]["caBundle"] == "Q0E="
    template = tree.inputs("Deployment", "home-web")["spec"]["template"]
    assert template["metadata"]["annotations"] == {"ml-platform/certificate": "0" * 8}
    assert not kinds(tree, "Certificate")


def test_with_cert_manager_its_objects_stay_and_come_before_what_mounts_their_secret(tmp_path: Path) -> None:
    made = release(tmp_path, "home", WEB, certificates=CERTIFICATES)
    tree = recorded(MadeUp(releases=[made], cert_manager=True), BundleArgs, "home")
    assert "Certificate/home-web" in after(tree, "Deployment", "home-web")
    assert not kinds(tree, "WebhookCertificate")


def test_a_release_that_asks_no_cert_manager_gets_its_certificate_from_the_stack_in_any_case(tmp_path: Path) -> None:
    made = release(tmp_path, "home", WEB[:2], certificates=CERTIFICATES)
    tree = recorded(MadeUp(releases=[made], cert_manager=True), BundleArgs, "home")
    assert kinds(tree, "WebhookCertificate") == ["home-web"]


def test_the_size_of_the_installation_is_that_of_its_workloads(tmp_path: Path) -> None:
    sizes = {"small": {"web": {"memory_request": "64Mi"}}}
    made = release(tmp_path, "home", [deployment("home/web")], sizes=sizes)
    tree = recorded(MadeUp(releases=[made], size="small"), BundleArgs, "home")
    (container,) = tree.inputs("Deployment", "home-web")["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"memory": "64Mi"}}


def test_kinds_of_an_operator_are_waited_for_after_it_and_removed_after_it(tmp_path: Path) -> None:
    objects = [deployment("home/operator"), thing("Thing", "home/t", "x.test/v1")]
    made = release(tmp_path, "home", objects, own_definitions=["things.x.test"])
    tree = recorded(MadeUp(releases=[made]), BundleArgs, "home")
    assert tree.inputs("Gate", "home-gate")["definitions"] == ["things.x.test"]
    assert tree.inputs("Definitions", "home-definitions")["own"] == ["things.x.test"]
    assert tree.inputs("Drain", "home-drain")["definitions"] == ["things.x.test"]
    assert "Deployment/home-operator" in after(tree, "Gate", "home-gate")
    assert "Definitions/home-definitions" in after(tree, "Deployment", "home-operator")
    assert "Gate/home-gate" in after(tree, "Thing", "home-t")


def test_a_webhook_is_probed_where_its_bundle_was_moved_to(tmp_path: Path) -> None:
    probe = {"webhook": "web.x.test", "pods": "app=web", "manifest": thing("ConfigMap", "home/probe")}
    made = release(tmp_path, "home", [deployment("home/web"), webhook("web.x.test", "web")], probes=[probe])

    def args(**given: Any) -> BundleArgs:
        return BundleArgs(**given, transforms=[lambda item: {**item, "metadata": {**item["metadata"], "moved": True}}])

    (asked,) = recorded(MadeUp(releases=[made]), args, "home").inputs("Gate", "home-gate")["probes"]
    assert asked["manifest"]["metadata"] == {"name": "probe", "namespace": "home", "moved": True}


def both(tmp_path: Path, first: Sequence[Any], second: Sequence[Any], **fields: Any) -> MadeUp:
    one = release(tmp_path, "one", first, namespace="home")
    return MadeUp(releases=[one, release(tmp_path, "two", second, namespace="home", **fields)])


def test_bundles_share_a_namespace_that_the_first_one_declares(tmp_path: Path) -> None:
    installation = both(tmp_path, [thing("ConfigMap", "home/a")], [thing("ConfigMap", "home/b")])
    tree = recorded(installation, BundleArgs, "one", "two")
    assert kinds(tree, "Namespace") == ["one-home"]
    assert "Namespace/one-home" in after(tree, "ConfigMap", "two-b")
    assert tree.find("ConfigMap", "two-b").deletedWith.endswith("::one-home")


def test_a_retained_namespace_takes_nothing_of_another_bundle_with_it(tmp_path: Path) -> None:
    installation = both(tmp_path, [thing("ConfigMap", "home/a")], [thing("ConfigMap", "home/b")])

    def args(*, installation: Installation, bundle: str) -> BundleArgs:
        return BundleArgs(installation=installation, bundle=bundle, retain_namespace=bundle == "one")

    tree = recorded(installation, args, "one", "two")
    assert not tree.find("ConfigMap", "two-b").deletedWith


def test_a_namespace_that_the_first_declares_too_strictly_is_refused(tmp_path: Path) -> None:
    installation = both(tmp_path, [deployment("home/a")], [deployment("home/b")], pod_security="privileged")
    with pytest.raises(BundleError, match=r"'home' is declared by bundle 'one' without .*=privileged.*'two' needs"):
        recorded(installation, BundleArgs, "one", "two")


def test_so_is_one_that_is_too_strict_for_a_bundle_that_leaves_it_to_the_first(tmp_path: Path) -> None:
    first = release(tmp_path, "one", [deployment("home/a")], namespace="home")
    second = release(tmp_path, "two", [thing("ClusterRole", "two", RBAC)], namespace="home", pod_security="privileged")
    with pytest.raises(BundleError, match=r"which bundle 'two' needs"):
        recorded(MadeUp(releases=[first, second]), BundleArgs, "one", "two")


def test_one_object_of_two_bundles_is_refused(tmp_path: Path) -> None:
    role = thing("ClusterRole", "manager", RBAC)
    with pytest.raises(BundleError, match=r"'one' and 'two' both declare ClusterRole manager"):
        recorded(both(tmp_path, [role], [role]), BundleArgs, "one", "two")


def test_a_setting_for_what_a_release_does_not_have_is_refused(tmp_path: Path) -> None:
    made = MadeUp(releases=[release(tmp_path, "home", [thing("ConfigMap", "home/a")])])

    def args(**given: Any) -> BundleArgs:
        return BundleArgs(**given, transforms=[config_data("config-gone", {"a": "1"})])

    with pytest.raises(BundleError, match=r"home 1 has no ConfigMap config-gone"):
        recorded(made, args, "home")
