"""What changed, and what of it makes a new object."""

from typing import Any

import pytest
from kubernetes_provider.diff import changes
from kubernetes_provider.kinds import replaced_for
from kubernetes_provider.values import UNKNOWN

pytestmark = pytest.mark.unit


def found(old: Any, new: Any, *paths: str, ignored: tuple[str, ...] = ()) -> dict[str, str]:
    return {
        change.name: change.kind.value + ("!" if change.replaces else "")
        for change in changes(old, new, paths, list(ignored))
    }


def test_added_deleted_and_updated_paths() -> None:
    old = {"a": 1, "b": {"c": [1, 2]}, "d.e": "x"}
    new = {"a": 2, "b": {"c": [1, 3, 4]}, "f": True}
    assert found(old, new) == {
        "a": "UPDATE",
        "b.c[1]": "UPDATE",
        "b.c[2]": "ADD",
        '["d.e"]': "DELETE",
        "f": "ADD",
    }


def test_equal_numbers_are_equal_and_truth_is_no_number() -> None:
    assert found({"a": 1}, {"a": 1.0}) == {}
    assert found({"a": 1}, {"a": True}) == {"a": "UPDATE"}


def test_an_absent_value_is_the_same_as_none() -> None:
    assert found({"a": None}, {}) == {}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"spec": {"selector": {"a": "1"}}}, {"spec": {"selector": {"a": "2"}}}, {"spec.selector.a": "UPDATE!"}),
        ({"spec": {"selector": {"a": "1"}}}, {}, {"spec": "DELETE!"}),
        ({"spec": {"replicas": 1}}, {}, {"spec": "DELETE"}),
        ({"spec": {"replicas": 1, "selector": {}}}, {"spec": UNKNOWN}, {"spec": "UPDATE!"}),
    ],
)
def test_a_path_replaces_wherever_the_change_begins(old: Any, new: Any, expected: dict[str, str]) -> None:
    assert found(old, new, "spec.selector") == expected


def test_items_of_lists_match_by_pattern() -> None:
    old = {"spec": {"containers": [{"name": "c", "image": "x"}]}}
    new = {"spec": {"containers": [{"name": "c", "image": "y"}]}}
    assert found(old, new, "spec.containers[].image") == {"spec.containers[0].image": "UPDATE!"}
    assert found(old, new, "spec.containers[].name") == {"spec.containers[0].image": "UPDATE"}


def test_ignored_paths_and_all_below_them_are_left_out() -> None:
    assert found({"a": {"b": 1}}, {"a": {"b": 2}, "c": 1}, ignored=("a",)) == {"c": "ADD"}
    assert found({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ignored=("a[*].b",)) == {}


@pytest.mark.parametrize(
    ("obj", "mutable", "expected"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap"}, False, True),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, True, False),
        ({"apiVersion": "v1", "kind": "ConfigMap", "immutable": True}, True, True),
        ({"apiVersion": "v1", "kind": "Secret"}, False, True),
        ({"apiVersion": "v1", "kind": "Secret"}, True, False),
        ({"apiVersion": "example.com/v1", "kind": "Secret"}, False, False),
    ],
)
def test_data_is_replaced_unless_it_is_mutable(obj: dict[str, Any], mutable: bool, expected: bool) -> None:
    assert ("data" in replaced_for(obj, config_map_mutable=mutable, secret_mutable=mutable)) is expected
