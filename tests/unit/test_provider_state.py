"""Property values, the state of an object, checked inputs, and who owns which field."""

from typing import Any

import pytest
from kubernetes_provider import check, kinds, ownership, paths, quantity, state
from kubernetes_provider.settings import Settings
from kubernetes_provider.values import UNKNOWN, Secret, decode, encode, has_secret, has_unknown, reveal
from kubernetes_provider.write import merge_patch

pytestmark = pytest.mark.unit

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}


def test_values_survive_the_wire() -> None:
    tree = {"a": [1, 2.5, True, None, "x", {}], "b": Secret({"c": [Secret("d")]}), "e": UNKNOWN}
    assert decode(encode(tree)) == tree
    assert reveal(tree) == {"a": [1, 2.5, True, None, "x", {}], "b": {"c": ["d"]}, "e": UNKNOWN}
    assert has_unknown(tree)
    assert has_secret(tree)
    assert "d" not in repr(tree["b"])


def test_the_payload_of_a_secret_is_marked_and_in_the_servers_form() -> None:
    obj = state.normalise({**SECRET, "stringData": {"a": "1"}, "data": {"b": "Mg=="}})
    assert obj["data"] == {"a": "MQ==", "b": "Mg=="}
    assert "stringData" not in obj
    properties = state.to_properties(obj, {})
    assert properties["data"] == Secret({"a": "MQ==", "b": "Mg=="})
    assert isinstance(obj["data"], dict), "the object itself is not touched"


def test_marks_follow_their_values() -> None:
    inputs = {"spec": {"a": Secret("x"), "b": "y"}, "list": [{"c": Secret("z")}]}
    outputs = {"spec": {"a": "x", "b": "y", "added": 1}, "list": [{"c": "z"}]}
    state.annotate(outputs, inputs)
    assert outputs == {"spec": {"a": Secret("x"), "b": "y", "added": 1}, "list": Secret([{"c": "z"}])}


def test_a_state_is_read_back_without_its_own_keys_and_without_field_owners() -> None:
    live = {**SECRET, "metadata": {"name": "s", "uid": "1", "managedFields": [{}]}}
    saved = state.checkpoint(SECRET, live, SECRET, "v1", "me")
    assert saved[state.MANAGER] == "me"
    inputs, again = state.parse(saved)
    assert inputs == SECRET
    assert again == {**SECRET, "metadata": {"name": "s", "uid": "1"}}


def test_schema_extensions_change_their_spelling_at_the_border() -> None:
    crd = {"kind": "CustomResourceDefinition", "spec": {"s": {"x_kubernetes_preserve_unknown_fields": True}}}
    obj = state.to_object(crd)
    assert obj["spec"]["s"] == {"x-kubernetes-preserve-unknown-fields": True}
    assert state.to_properties(obj, {})["spec"] == crd["spec"]


@pytest.mark.parametrize(
    ("live", "inputs", "expected"),
    [
        ({"a": 2, "b": 3}, {"a": 1}, {"a": 2}),
        ({}, {"a": 1, "empty": {}, "off": False}, {"empty": {}, "off": False}),
        ({"l": [{"a": 1, "x": 2}, {"a": 3}]}, {"l": [{"a": 1}]}, {"l": [{"a": 1}, {"a": 3}]}),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1000m"}}),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "2"}}),
        ({"labels": {"v": "1"}}, {"labels": {"v": "1000m"}}, {"labels": {"v": "1"}}),
    ],
)
def test_the_live_object_in_the_shape_of_the_inputs(live: Any, inputs: Any, expected: Any) -> None:
    assert state.prune(live, inputs) == expected


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1000m"), ("1Gi", "1024Mi"), ("0.5", "500m"), (2, "2"), ("1e3", "1k")]
)
def test_equal_amounts(one: Any, other: Any) -> None:
    assert quantity.same(one, other)


@pytest.mark.parametrize(("one", "other"), [("1", "2"), ("x", "x"), (True, "1"), ("1Q", "1Q"), ({}, {})])
def test_other_values_are_no_equal_amounts(one: Any, other: Any) -> None:
    assert not quantity.same(one, other)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b[0].c", ("a", "b", 0, "c")),
        ('metadata.annotations["example.com/x"]', ("metadata", "annotations", "example.com/x")),
        ("spec.rules[*].host", ("spec", "rules", "*", "host")),
    ],
)
def test_paths(text: str, path: paths.Path) -> None:
    assert paths.parse(text) == path
    if "*" not in path:
        assert paths.render(path) == text


def test_a_path_that_is_none_is_quoted() -> None:
    with pytest.raises(ValueError, match="not a property path"):
        paths.parse("a[b")


def checked(token: str, news: dict[str, Any], olds: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    request = check.Request(
        token=token, resource_name="res", news=news, olds=olds or {}, proposal=check.Proposal(seed=b"seed")
    )
    return check.inputs(request, Settings(**settings), lambda *_: True)


def test_names_are_the_same_in_the_preview_and_in_the_update() -> None:
    first, second = (checked("kubernetes:core/v1:ConfigMap", {}) for _ in range(2))
    assert first == second
    assert first["metadata"]["name"].startswith("res-")
    assert first["metadata"]["namespace"] == "default"
    assert checked("kubernetes:core/v1:ConfigMap", {"data": {"a": "b"}}, first)["metadata"] == first["metadata"]


def test_names_and_metadata_that_are_not_known_yet_are_left_alone() -> None:
    assert checked("kubernetes:core/v1:ConfigMap", {"metadata": {"name": UNKNOWN}})["metadata"]["name"] == UNKNOWN
    assert checked("kubernetes:core/v1:ConfigMap", {"metadata": UNKNOWN})["metadata"] == UNKNOWN


def test_a_custom_kind_keeps_the_scope_that_its_state_has() -> None:
    token, old = "kubernetes:example.com/v1:Gadget", {"apiVersion": "example.com/v1", "kind": "Gadget"}
    news = {**old, "metadata": {"name": "g"}}
    assert "namespace" not in checked(token, news, {**old, "metadata": {"name": "g"}})["metadata"]
    assert checked(token, news)["metadata"]["namespace"] == "default"


def test_without_server_side_apply_a_label_says_who_manages_the_object() -> None:
    made = checked("kubernetes:core/v1:ConfigMap", {"metadata": {"name": "c"}}, server_side_apply=False)
    assert made["metadata"]["labels"] == {check.MANAGED_BY: "pulumi"}


@pytest.mark.parametrize(
    ("token", "news", "message"),
    [
        ("kubernetes:core/v1:ConfigMapList", {"items": []}, "cannot be created"),
        ("kubernetes:core/v1:ConfigMapPatch", {"kind": "ConfigMap"}, "metadata.name"),
        ("kubernetes:core/v1:ConfigMap", {"metadata": {"generateName": "x"}}, "generateName"),
    ],
)
def test_refused_inputs(token: str, news: dict[str, Any], message: str) -> None:
    with pytest.raises(check.Refused, match=message):
        checked(token, news)


def test_types_name_their_kind() -> None:
    assert kinds.from_type("kubernetes:core/v1:Secret") == ("v1", "Secret")
    assert kinds.from_type("kubernetes:apps/v1:DeploymentPatch") == ("apps/v1", "Deployment")
    assert kinds.from_type("kubernetes:example.com/v1:Widget") == ("example.com/v1", "Widget")
    assert kinds.is_patch("kubernetes:apps/v1:DeploymentPatch", "Deployment")
    assert not kinds.is_patch("kubernetes:example.com/v1:Patch", "Patch")


def owned(manager: str, operation: str, **fields: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": {f"f:{key}": {} for key in fields}}


def live(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries)}, "a": "live", "b": "live"}


def test_an_update_inherits_what_the_create_owned() -> None:
    status = {**owned("kube-controller", "Update", status=1), "subresource": "status"}
    taken = ownership.taken_over(live(owned("pulumi-kubernetes", "Update", a=1), status), "me")
    assert taken == [status, owned("me", "Apply", a=1)]
    both = ownership.taken_over(live(owned("pulumi-kubernetes", "Update", a=1), owned("me", "Apply", b=1)), "me")
    assert both == [owned("me", "Apply", a=1, b=1)]
    assert ownership.taken_over(live(owned("me", "Apply", a=1)), "me") is None


def test_an_ignored_field_is_left_to_another_owner_or_kept_as_it_is() -> None:
    obj = {"a": "declared", "b": "declared"}
    ownership.settle_ignored(obj, live(owned("other", "Update", a=1), owned("me", "Apply", b=1)), ["a", "b"], "me")
    assert obj == {"b": "live"}


def test_a_merge_patch_says_what_goes() -> None:
    assert merge_patch({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 1, "d": 3}, "e": [1]}) == {
        "a": None,
        "b": {"d": 3},
        "e": [1],
    }
