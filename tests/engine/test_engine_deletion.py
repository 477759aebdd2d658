"""Deletion: it waits, says for what, gives up in time, and leaves a state from which the next run goes on."""

from typing import Any

import pytest
from ml_platform.kube import Client, NotFound

pytestmark = pytest.mark.engine

BLOCKED = {"metadata": {"finalizers": ["example.com/blocked"]}}


def test_a_deletion_that_does_not_end_fails_in_time_and_is_taken_up_again(
    stack: Any, kube: Client, namespace: str
) -> None:
    options = {"custom_timeouts": {"delete": "2s"}}
    stack.declare(stack.object("ConfigMap", "c", options=options))
    stack.up()
    kube.patch("v1", "ConfigMap", "c", namespace, BLOCKED)
    stack.declare()
    blocked = stack.up()
    assert not blocked.ok
    assert "c" in blocked.text
    assert "c" in stack.names(), "still there, so still in the state"
    kube.patch("v1", "ConfigMap", "c", namespace, {"metadata": {"finalizers": None}})
    assert stack.up().ok
    assert "c" not in stack.names()


@pytest.mark.stand_in
def test_the_error_names_the_finalizers(stack: Any, kube: Client, namespace: str) -> None:
    stack.declare(stack.object("ConfigMap", "c", metadata={"annotations": {"pulumi.com/timeoutSeconds": "1"}}))
    stack.up()
    kube.patch("v1", "ConfigMap", "c", namespace, BLOCKED)
    stack.declare()
    blocked = stack.up()
    assert f"ConfigMap {namespace}/c is not gone" in blocked.text
    assert "example.com/blocked" in blocked.text
    kube.patch("v1", "ConfigMap", "c", namespace, {"metadata": {"finalizers": None}})


def workload(label: str) -> dict[str, Any]:
    labels = {"app": label, "fake": "ready"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    return {"replicas": 1, "selector": {"matchLabels": {"app": label}}, "template": pod}


def test_dependents_go_first_unless_told_otherwise(stack: Any, kube: Client, namespace: str) -> None:
    orphan = {"annotations": {"pulumi.com/deletionPropagationPolicy": "orphan"}}
    stack.declare(
        stack.object("Deployment", "foreground", "apps/v1", spec=workload("a")),
        stack.object("Deployment", "orphaning", "apps/v1", metadata=orphan, spec=workload("b")),
    )
    made = stack.up()
    assert made.ok, made.text
    stack.declare()
    assert stack.up().ok
    left = {each["metadata"]["name"].rpartition("-")[0] for each in kube.list("apps/v1", "ReplicaSet", namespace)}
    assert left == {"orphaning"}


def test_what_is_gone_already_is_deleted(stack: Any, kube: Client, namespace: str) -> None:
    stack.declare(stack.object("ConfigMap", "c"))
    stack.up()
    kube.delete("v1", "ConfigMap", "c", namespace)
    with pytest.raises(NotFound):
        kube.get("v1", "ConfigMap", "c", namespace)
    assert stack.destroy().ok


def test_custom_resources_whose_kind_is_gone_are_deleted(stack: Any, kube: Client, namespace: str) -> None:
    group = f"{namespace}.example.com"
    crd = {
        "group": group,
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    }
    kube.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"widgets.{group}"},
            "spec": crd,
        },
        field_manager="somebody",
    )
    stack.declare(stack.object("Widget", "w", f"{group}/v1", spec={"size": 1}))
    made = stack.up()
    assert made.ok, made.text
    kube.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"widgets.{group}")
    gone = stack.destroy()
    assert gone.ok, gone.text
