"""Whose object, whose field: existing objects, adoption, conflicts, Patch resources, ignored changes."""

from typing import Any

import pytest
from ml_platform.kube import Client

pytestmark = pytest.mark.engine


def existing(kube: Client, namespace: str, manager: str = "somebody", **data: str) -> None:
    metadata = {"name": "c", "namespace": namespace}
    kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, field_manager=manager)


def data_of(kube: Client, namespace: str) -> dict[str, str]:
    found: dict[str, str] = kube.get("v1", "ConfigMap", "c", namespace)["data"]
    return found


@pytest.mark.differs("it adopts what exists, as every release before v4.29 does")
def test_an_object_that_exists_is_not_adopted_by_accident(stack: Any, kube: Client, namespace: str) -> None:
    existing(kube, namespace, theirs="1")
    stack.declare(stack.object("ConfigMap", "c", data={"ours": "1"}))
    refused = stack.up()
    assert not refused.ok
    assert "already exists" in refused.text
    assert "upsertExistingObjects" in refused.text
    assert data_of(kube, namespace) == {"theirs": "1"}


def test_upsert_adopts_with_a_new_field_manager(stack: Any, kube: Client, namespace: str) -> None:
    existing(kube, namespace, theirs="1", shared="1")
    stack.provider |= {"upsertExistingObjects": "true", "enableConfigMapMutable": "true"}
    stack.declare(stack.object("ConfigMap", "c", data={"ours": "1", "shared": "1"}))
    adopted = stack.up()
    assert adopted.changed == {"c": "create"}
    assert data_of(kube, namespace) == {"theirs": "1", "ours": "1", "shared": "1"}
    manager = stack.state("c")["outputs"]["__fieldManager"]
    managers = {entry["manager"] for entry in kube.get("v1", "ConfigMap", "c", namespace)["metadata"]["managedFields"]}
    assert managers == {"somebody", manager}

    stack.declare(stack.object("ConfigMap", "c", data={"shared": "1"}))
    assert stack.up().ok
    assert data_of(kube, namespace) == {"theirs": "1", "shared": "1"}


@pytest.mark.stand_in
def test_what_another_resource_has_adopted_is_not_deleted_with_the_one_before(
    stack: Any, kube: Client, namespace: str
) -> None:
    stack.provider["upsertExistingObjects"] = "true"
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    assert stack.up().ok
    stack.declare(stack.object("ConfigMap", "renamed", metadata={"name": "c"}, data={"a": "1"}))
    moved = stack.up()
    assert moved.changed == {"renamed": "create", "c": "delete"}
    assert data_of(kube, namespace) == {"a": "1"}
    stack.declare()
    assert stack.up().changed == {"renamed": "delete"}
    assert kube.list("v1", "ConfigMap", namespace, fields="metadata.name=c") == []


@pytest.mark.parametrize(
    "upsert",
    [pytest.param("true", marks=pytest.mark.stand_in, id="adopted"), pytest.param("false", id="made anew")],
)
def test_settings_go_back_to_those_of_before_a_failed_update(
    upsert: str, stack: Any, kube: Client, namespace: str
) -> None:
    stack.provider["upsertExistingObjects"] = upsert
    options = {} if upsert == "true" else {"delete_before_replace": True}

    def declared(name: str) -> None:
        stack.declare(
            stack.object("ConfigMap", "run", metadata={"name": name}, options=options, data={"a": name}),
            stack.object("ConfigMap", "fails", metadata={"name": "Not A Name" if name == "b" else "good"}),
        )

    declared("a")
    assert stack.up().ok
    declared("b")
    assert not stack.up().ok
    declared("a")
    back = stack.up()
    assert back.ok, back.text
    assert stack.up().changed == {}
    assert kube.get("v1", "ConfigMap", "a", namespace)["data"] == {"a": "a"}
    assert kube.list("v1", "ConfigMap", namespace, fields="metadata.name=b") == []


def test_a_conflict_is_an_error_until_it_is_forced(stack: Any, kube: Client, namespace: str) -> None:
    existing(kube, namespace, shared="theirs")
    stack.provider["upsertExistingObjects"] = "true"
    stack.declare(stack.object("ConfigMap", "c", data={"shared": "ours"}))
    refused = stack.up()
    assert not refused.ok
    assert "conflict" in refused.text.lower()
    assert "somebody" in refused.text

    force = {"annotations": {"pulumi.com/patchForce": "true"}}
    stack.declare(stack.object("ConfigMap", "c", metadata=force, data={"shared": "ours"}))
    assert stack.up().ok
    assert data_of(kube, namespace) == {"shared": "ours"}


def test_a_patch_resource_owns_its_fields_only(stack: Any, kube: Client, namespace: str) -> None:
    existing(kube, namespace, theirs="1")
    named = {"annotations": {"pulumi.com/patchFieldManager": "our-manager"}}
    stack.declare(stack.object("ConfigMapPatch", "c", metadata=named, data={"ours": "1"}))
    assert stack.up().changed == {"c": "create"}
    assert data_of(kube, namespace) == {"theirs": "1", "ours": "1"}
    assert stack.state("c")["outputs"]["__fieldManager"] == "our-manager"

    stack.declare(stack.object("ConfigMapPatch", "c", metadata=named, data={"ours": "2"}))
    assert stack.up().changed == {"c": "update"}, "in place, whatever the kind"
    assert data_of(kube, namespace) == {"theirs": "1", "ours": "2"}

    stack.declare()
    assert stack.up().changed == {"c": "delete"}
    assert data_of(kube, namespace) == {"theirs": "1"}, "the object stays"


@pytest.mark.stand_in
def test_removing_a_patch_of_an_object_that_is_gone_makes_none(stack: Any, kube: Client, namespace: str) -> None:
    existing(kube, namespace, theirs="1")
    stack.declare(stack.object("ConfigMapPatch", "c", data={"ours": "1"}))
    assert stack.up().ok
    kube.delete("v1", "ConfigMap", "c", namespace)
    gone = stack.destroy()
    assert gone.ok, gone.text
    assert kube.list("v1", "ConfigMap", namespace, fields="metadata.name=c") == []


def test_a_patch_resource_needs_a_name(stack: Any) -> None:
    stack.declare(stack.object("ConfigMapPatch", "c", metadata={"name": None}, data={"a": "1"}))
    assert "patch resources require the `.metadata.name` field to be set" in stack.up().text


def test_ignored_changes_stay_with_their_owner(stack: Any, kube: Client, namespace: str) -> None:
    stack.provider["enableConfigMapMutable"] = "true"
    ignore = {"ignore_changes": ["data.scaled"]}
    stack.declare(stack.object("ConfigMap", "c", data={"scaled": "1", "a": "1"}, options=ignore))
    stack.up()
    kube.patch("v1", "ConfigMap", "c", namespace, {"data": {"scaled": "9"}}, field_manager="autoscaler")
    stack.declare(stack.object("ConfigMap", "c", data={"scaled": "2", "a": "2"}, options=ignore))
    changed = stack.up()
    assert changed.ok, changed.text
    assert set(changed.diffs["c"]) == {"data.a"}
    assert data_of(kube, namespace) == {"scaled": "9", "a": "2"}


def test_without_server_side_apply_an_update_sends_what_changed(stack: Any, kube: Client, namespace: str) -> None:
    stack.provider |= {"enableServerSideApply": "false", "enableConfigMapMutable": "true"}
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1", "b": "1"}))
    assert stack.up().ok
    kube.patch("v1", "ConfigMap", "c", namespace, {"data": {"theirs": "1"}})
    stack.declare(stack.object("ConfigMap", "c", data={"a": "2"}))
    assert stack.up().changed == {"c": "update"}
    assert data_of(kube, namespace) == {"a": "2", "theirs": "1"}
    labels = kube.get("v1", "ConfigMap", "c", namespace)["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/managed-by": "pulumi"}
