"""A bundle that leaves the settings: whether it may, by what the cluster has of its kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_platform.bundles import catalog, preflight
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.preflight import leaving
from pulumi.runtime.rpc import UNKNOWN
from support.made_up import LABELS, definition, deployment, release

OLDS: dict[str, Any] = {
    "entries": {"web": "1", "operator": "1"}, "existing": {}, "own": [], "mirror": "", "labels": LABELS, "adopt": False,
    "storage_class": "", "volumes": [], "load_balancer": False, "kubeconfig": "x",
}  # fmt: skip
KIND, OWN_KIND = "things.x.test", "widgets.x.test"


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """The objects that the cluster has of each kind."""
    web = release(tmp_path, "web", [definition("things", "x.test", "Thing"), deployment("web/web")])
    operator = release(tmp_path, "operator", [deployment("operator/o")], own_definitions=[OWN_KIND])
    monkeypatch.setattr(catalog, "releases", lambda: {"web": (web,), "operator": (operator,)})
    found: dict[str, list[dict[str, Any]]] = {KIND: [], OWN_KIND: []}
    monkeypatch.setattr(preflight.Client, "from_kubeconfig", lambda *_, **__: object())
    monkeypatch.setattr(leaving, "served", lambda _, names: {name: name for name in names})
    monkeypatch.setattr(leaving, "listed", lambda _, path: found[path])
    return found


def changes(**news: Any) -> bool:
    return bool(preflight._Provider().diff("preflight", OLDS, {**OLDS, **news}).changes)


def thing(name: str, **metadata: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "theirs", **metadata}


@pytest.mark.usefixtures("used")
def test_a_bundle_goes_where_nobody_has_objects_of_its_kinds() -> None:
    assert changes(entries={})


def test_a_bundle_whose_kinds_somebody_uses_is_kept_and_they_are_listed(used: dict[str, Any]) -> None:
    used[KIND] = [thing("one"), {"name": "two", "labels": {"ml-platform/stack": "another"}}]
    with pytest.raises(BundleError) as refused:
        changes(entries={"operator": "1"})
    assert "web 1 leaves the settings" in str(refused.value)
    assert "things.x.test theirs/one, things.x.test two. Delete them, or keep web." in str(refused.value)


def test_each_bundle_that_can_not_go_is_named(used: dict[str, Any]) -> None:
    used[KIND], used[OWN_KIND] = [thing("one")], [thing("two")]
    with pytest.raises(BundleError) as refused:
        changes(entries={})
    assert "things.x.test theirs/one. Delete them, or keep web." in str(refused.value)
    assert "widgets.x.test theirs/two. Delete them, or keep operator." in str(refused.value)


def test_of_many_objects_the_first_are_named_and_the_others_counted(used: dict[str, Any]) -> None:
    used[KIND] = [thing(f"n{index}") for index in range(13)]
    with pytest.raises(BundleError, match=r"theirs/n9 and 3 more\. Delete them"):
        changes(entries={})


@pytest.mark.parametrize(
    "metadata",
    [{"labels": LABELS}, {"ownerReferences": [{"kind": "Parent", "name": "p", "controller": True}]}],
    ids=["the stack's own", "of a controller"],
)
def test_what_goes_by_itself_holds_no_bundle(used: dict[str, Any], metadata: dict[str, Any]) -> None:
    used[KIND] = [thing("one", **metadata)]
    assert changes(entries={})


def test_an_owner_that_is_no_controller_holds_it(used: dict[str, Any]) -> None:
    used[KIND] = [thing("one", ownerReferences=[{"kind": "Parent", "name": "p"}])]
    with pytest.raises(BundleError):
        changes(entries={})


def test_a_bundle_that_somebody_else_runs_from_now_on_does_not_go(used: dict[str, Any]) -> None:
    used[KIND] = [thing("one")]
    assert changes(entries={"operator": "1"}, existing={"web": "1"})


def test_a_bundle_of_another_version_does_not_go(used: dict[str, Any]) -> None:
    used[KIND] = [thing("one")]
    assert changes(entries={"web": "2", "operator": "1"})


def test_an_unknown_cluster_is_not_asked(used: dict[str, Any]) -> None:
    used[KIND] = [thing("one")]
    assert changes(entries={}, kubeconfig=UNKNOWN)
