"""A bundle as the engine sees it: parents, order, and what dies with its namespace."""

import asyncio
from dataclasses import replace
from typing import Any

import pulumi
import pytest
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.installation import Installation
from pulumi.runtime import mocks

pytestmark = pytest.mark.unit

NAMESPACE = "kubernetes:core/v1:Namespace"
LEAN = "1.23.0-lean"
DEFINITIONS, GATE = "serving-definitions", "serving-gate"


class Mocks(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return args.name, args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


class Monitor(mocks.MockMonitor):
    """Keeps the requests, since mocks see neither parents nor dependencies."""

    def __init__(self) -> None:
        super().__init__(Mocks())
        self.requests: dict[tuple[str, str], Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.requests[request.type, request.name] = request
        return super().RegisterResource(request)

    def after(self, kind: str, name: str) -> set[str]:
        """The names of what the resource waits for."""
        return {urn.rpartition("::")[2] for urn in self.requests[kind, name].dependencies}


@pytest.fixture(scope="module")
def tree() -> Monitor:
    monitor = Monitor()
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(Mocks(), project="test", stack="test", preview=False, monitor=monitor)
    declare()
    return monitor


@pulumi.runtime.test
def declare() -> None:
    lean = Installation(
        kubeconfig="{}", labels={"ml-platform/stack": "test"}, images={}, versions={"knative-serving": LEAN}
    )
    images = {image: f"registry.test/{image}" for image in lean.entry("knative-serving").images}
    Bundle("serving", BundleArgs(installation=replace(lean, images=images), bundle="knative-serving"))


def test_every_object_is_a_child_of_the_bundle(tree: Monitor) -> None:
    children = [request for (kind, _), request in tree.requests.items() if kind.startswith("kubernetes:")]
    assert len(children) > 40
    assert all(request.parent.endswith("ml-platform:bundles:Bundle::serving") for request in children)


def test_no_definition_goes_through_the_engine(tree: Monitor) -> None:
    assert not [kind for kind, _ in tree.requests if "CustomResourceDefinition" in kind]


@pytest.mark.parametrize(
    ("kind", "name", "waits_for"),
    [
        ("kubernetes:core/v1:ConfigMap", "serving-config-domain", "serving-knative-serving"),
        ("kubernetes:apps/v1:Deployment", "serving-controller", "serving-config-domain"),
        ("kubernetes:apps/v1:Deployment", "serving-controller", DEFINITIONS),
        (
            "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration",
            "serving-webhook.serving.knative.dev",
            "serving-webhook",
        ),
        ("pulumi-python:dynamic/bundles:WebhookGate", GATE, "serving-webhook.serving.knative.dev"),
        ("pulumi-python:dynamic/bundles:Drain", "serving-drain", GATE),
    ],
)
def test_the_phases_follow_each_other(tree: Monitor, kind: str, name: str, waits_for: str) -> None:
    assert waits_for in tree.after(kind, name)


@pytest.mark.parametrize(
    ("kind", "name", "passive"),
    [
        ("kubernetes:core/v1:ConfigMap", "serving-config-domain", True),
        ("kubernetes:core/v1:Service", "serving-webhook", True),
        ("kubernetes:apps/v1:Deployment", "serving-webhook", False),
        ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "serving-knative-serving-webhook", False),
    ],
)
def test_what_is_passive_dies_with_its_namespace(tree: Monitor, kind: str, name: str, passive: bool) -> None:
    assert bool(tree.requests[kind, name].deletedWith) is passive


def test_fields_that_the_webhook_writes_are_not_declared(tree: Monitor) -> None:
    request = tree.requests[
        "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration", "serving-webhook.serving.knative.dev"
    ]
    (webhook,) = request.object["webhooks"]
    assert not {"rules", "namespaceSelector"} & set(webhook)
    assert "caBundle" not in webhook["clientConfig"]
