"""What becomes of the notes that a killed update left in the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ml_local import recovery

pytestmark = pytest.mark.unit

Resource = dict[str, Any]


def resource(name: str, *, urn: str = "", kind: str = "kubernetes:core/v1:ConfigMap", **fields: Any) -> Resource:
    inputs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}}
    urn = f"urn:pulumi:local::ml-platform::{kind}::{urn or name}"
    return {"urn": urn, "type": kind, "custom": True, "id": f"n/{name}", "inputs": inputs, "outputs": inputs, **fields}


def begun(name: str, doing: str = "creating", **fields: Any) -> dict[str, Any]:
    noted = resource(name, **fields)
    if doing == "creating":
        del noted["id"], noted["outputs"]
    return {"type": doing, "resource": noted}


def live(name: str, *managers: tuple[str, str]) -> dict[str, Any]:
    fields = [{"manager": manager, "operation": "Apply", "time": time} for manager, time in managers]
    return {"metadata": {"name": name, "namespace": "n", "managedFields": fields}}


def settled(deployment: Mapping[str, Any], *lives: dict[str, Any]) -> list[Resource]:
    there = {each["metadata"]["name"]: each for each in lives}
    found = recovery.settled(dict(deployment), lambda inputs: there.get(inputs["metadata"]["name"]))
    assert not recovery.unsettled(found)
    assert found["manifest"] == deployment["manifest"]
    return list(found["resources"])


def state(*resources: Resource, pending: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"manifest": {}, "resources": list(resources), "pending_operations": pending or []}


def test_a_state_without_notes_is_settled() -> None:
    assert not recovery.unsettled({})
    assert not recovery.unsettled(state(resource("a")))
    assert recovery.unsettled(state(pending=[begun("a", "deleting")]))
    assert recovery.unsettled(state(resource("a", delete=True)))


def test_an_object_that_was_made_is_a_resource_and_one_that_was_not_is_forgotten() -> None:
    pending = [begun("made"), begun("not-made"), begun("known", "updating")]
    known, made = settled(state(resource("known"), pending=pending), live("made"), live("known"))
    assert known == resource("known")
    assert (made["id"], made["inputs"]) == ("n/made", made["outputs"]["__inputs"])
    assert "__fieldManager" not in made["outputs"], "the plugin takes over what a plain create wrote"


def test_the_fields_of_what_was_applied_stay_with_the_last_manager() -> None:
    managers = ("pulumi-kubernetes-2", "2026-01-02"), ("pulumi-kubernetes-1", "2026-01-01"), ("kubectl", "2026-01-03")
    (made,) = settled(state(pending=[begun("made")]), live("made", *managers))
    assert made["outputs"]["__fieldManager"] == "pulumi-kubernetes-2"


def test_a_replacement_that_was_made_stands_where_the_other_stood_before_what_depends_on_it() -> None:
    old, after = resource("job-1", urn="job"), resource("after", dependencies=["...::job"])
    found = settled(state(old, after, pending=[begun("job-2", urn="job")]), live("job-2"), live("job-1"))
    assert [each["id"] for each in found] == ["n/job-2", "n/after"]


def test_what_was_replaced_is_left_to_the_program() -> None:
    new, old = resource("job-2", urn="job"), resource("job-1", urn="job", delete=True)
    assert settled(state(new, old)) == [new]


@pytest.mark.parametrize(("lives", "stands"), [(["job-3"], "n/job-3"), ([], "n/job-2")], ids=["made", "not made"])
def test_a_replacement_of_what_was_itself_replaced_stands_before_what_depends_on_it(
    lives: list[str], stands: str
) -> None:
    """Killed while it made the third; the second waits for its deletion at the end, as does the first."""
    second, first = (resource(name, urn="job", delete=True) for name in ("job-2", "job-1"))
    outcome = resource("outcome", dependencies=[second["urn"]])
    pending = [begun("job-3", urn="job")]
    found = settled(state(resource("other"), outcome, second, first, pending=pending), *map(live, lives))
    assert [each["id"] for each in found] == ["n/other", stands, "n/outcome"]


def test_what_is_no_object_is_made_again() -> None:
    component = begun("c", kind="ml-platform:serving:KServe")
    component["resource"]["custom"] = False
    gate = begun("gate", kind="pulumi-python:dynamic/bundles:Gate")
    assert settled(state(pending=[component, gate]), live("c"), live("gate")) == []
