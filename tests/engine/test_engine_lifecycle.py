"""An object from its first `up` to its removal: names, namespaces, changes, replacements, drift, import."""

import base64
from typing import Any

import pytest
from ml_platform.kube import Client, NotFound

pytestmark = pytest.mark.engine


def deployment(labels: dict[str, str], **template: Any) -> dict[str, Any]:
    return {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "x"}], **template},
        },
    }


def test_create_update_delete(stack: Any, kube: Client, namespace: str) -> None:
    stack.provider["enableConfigMapMutable"] = "true"
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1", "b": "1"}))
    assert stack.up().changed == {"c": "create"}
    assert kube.get("v1", "ConfigMap", "c", namespace)["data"] == {"a": "1", "b": "1"}
    assert stack.state("c")["id"] == f"{namespace}/c"

    again = stack.up()
    assert (again.ok, again.changed) == (True, {})

    stack.declare(stack.object("ConfigMap", "c", data={"a": "2"}))
    changed = stack.up()
    assert changed.changed == {"c": "update"}
    assert set(changed.diffs["c"]) == {"data.a", "data.b"}
    assert kube.get("v1", "ConfigMap", "c", namespace)["data"] == {"a": "2"}, "a field left out is removed"

    stack.declare()
    assert stack.up().changed == {"c": "delete"}
    with pytest.raises(NotFound):
        kube.get("v1", "ConfigMap", "c", namespace)


def test_an_unnamed_object_is_named_after_its_resource_and_keeps_the_name(stack: Any, kube: Client) -> None:
    stack.declare(stack.object("ConfigMap", "auto", metadata={"name": None}, data={"a": "1"}))
    stack.up()
    first = stack.state("auto")
    name = first["outputs"]["metadata"]["name"]
    assert name.startswith("auto-")
    assert first["inputs"]["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert stack.up().changed == {}

    stack.declare(stack.object("ConfigMap", "auto", metadata={"name": None}, data={"a": "2"}))
    replaced = stack.up()
    assert replaced.changed == {"auto": "replace"}
    assert stack.state("auto")["outputs"]["metadata"]["name"] != name, "made before the old one goes"
    with pytest.raises(NotFound):
        kube.get("v1", "ConfigMap", name, stack.namespace)


def test_an_object_without_a_namespace_is_in_the_providers(stack: Any, kube: Client, namespace: str) -> None:
    stack.provider["namespace"] = namespace
    stack.declare(
        stack.object("ConfigMap", "c", metadata={"namespace": None}, data={"a": "1"}),
        stack.object("PriorityClass", f"p-{namespace}", "scheduling.k8s.io/v1", metadata={"namespace": None}, value=7),
    )
    assert stack.up().ok
    assert stack.state("c")["id"] == f"{namespace}/c"
    assert stack.state(f"p-{namespace}")["id"] == f"p-{namespace}", "cluster-scoped"
    assert stack.up().changed == {}


def test_a_change_of_data_replaces_config_maps_and_secrets_of_a_fixed_name_in_place(
    stack: Any, kube: Client, namespace: str
) -> None:
    encoded = [base64.b64encode(text).decode() for text in (b"1", b"2")]
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}), stack.object("Secret", "s", data={"a": encoded[0]}))
    stack.up()
    uid = kube.get("v1", "ConfigMap", "c", namespace)["metadata"]["uid"]
    stack.declare(stack.object("ConfigMap", "c", data={"a": "2"}), stack.object("Secret", "s", data={"a": encoded[1]}))
    replaced = stack.up()
    assert replaced.changed == {"c": "replace", "s": "replace"}
    assert kube.get("v1", "ConfigMap", "c", namespace)["metadata"]["uid"] != uid
    assert kube.get("v1", "Secret", "s", namespace)["data"] == {"a": encoded[1]}


@pytest.mark.differs("with skipAwait it does not wait for the end of what it replaces either", sometimes=True)
def test_fields_that_the_server_does_not_let_change_replace_the_object(stack: Any, kube: Client) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role"}
    rbac, batch = "rbac.authorization.k8s.io/v1", "batch/v1"
    job = {"suspend": True, "template": {"spec": {"restartPolicy": "Never"}}}
    containers = [[{"name": "c", "image": image}] for image in ("x", "y")]
    skip = {"annotations": {"pulumi.com/skipAwait": "true"}}  # the official plugin waits until a suspended Job goes on

    def declared(index: int) -> None:
        template = {"spec": {**job["template"]["spec"], "containers": containers[index]}}  # type: ignore[index]
        stack.declare(
            stack.object("Deployment", "d", "apps/v1", spec=deployment({"a": str(index)})),
            stack.object("RoleBinding", "r", rbac, roleRef={**role, "name": f"role{index}"}),
            stack.object("Job", "j", batch, spec={**job, "template": template}, metadata=skip),
            stack.object("Service", "s", spec={"ports": [{"port": 80 + index}]}),
        )

    declared(0)
    assert stack.up().ok
    declared(1)
    result = stack.up()
    assert result.ok, result.text
    assert result.changed == {"d": "replace", "r": "replace", "j": "replace", "s": "update"}
    assert kube.get("apps/v1", "Deployment", "d", stack.namespace)["spec"]["selector"]["matchLabels"] == {"a": "1"}


def test_refresh_sees_drift_and_the_next_up_mends_it(stack: Any, kube: Client, namespace: str) -> None:
    spec = deployment({"a": "1"})
    spec["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1000m", "memory": "1024Mi"}}
    metadata = {"labels": {"a": "1"}, "annotations": {"pulumi.com/patchForce": "true"}}
    stack.declare(stack.object("Deployment", "d", "apps/v1", spec=spec, metadata=metadata))
    stack.up()
    stack.refresh()
    assert stack.up().changed == {}, "another spelling of the same amount is no drift"

    kube.patch("apps/v1", "Deployment", "d", namespace, {"metadata": {"labels": {"a": "drifted"}}})
    assert stack.up().changed == {}, "not looked at without a refresh"
    stack.refresh()
    mended = stack.up()
    assert (mended.ok, mended.changed) == (True, {"d": "update"}), mended.text
    assert kube.get("apps/v1", "Deployment", "d", namespace)["metadata"]["labels"] == {"a": "1"}


def test_refresh_drops_what_is_gone_and_up_makes_it_again(stack: Any, kube: Client, namespace: str) -> None:
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    stack.up()
    kube.delete("v1", "ConfigMap", "c", namespace)
    stack.refresh()
    assert "c" not in stack.names()
    assert stack.up().changed == {"c": "create"}


def test_an_object_can_be_imported(stack: Any, kube: Client, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}
    uid = kube.create({**body, "data": {"a": "1"}}, field_manager="somebody")["metadata"]["uid"]
    options = {"import_": f"{namespace}/c"}
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}, options=options))
    imported = stack.up()
    assert imported.ok, imported.text
    assert stack.state("c")["outputs"]["metadata"]["uid"] == uid
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    assert stack.up().changed == {}


def test_outputs_hold_what_the_server_filled_in(stack: Any) -> None:
    stack.declare(stack.object("Service", "s", spec={"ports": [{"port": 80}]}))
    stack.up()
    outputs = stack.state("s")["outputs"]
    assert outputs["spec"]["clusterIP"].startswith("10.97.0.")
    assert outputs["metadata"]["uid"]


def test_list_kinds_and_charts_are_refused_by_name(stack: Any) -> None:
    stack.declare(stack.object("ConfigMapList", "l", items=[]))
    assert "cannot be created" in stack.up().text
