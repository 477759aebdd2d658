"""Every kind that runs pods, at every place where it has one: what a pod must not have is found there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ml_policies.catalog import POLICIES
from ml_policies.engine.judge import Judge
from ml_policies.engine.resource import Resource
from ml_policies.shapes.workloads import WORKLOADS
from ml_policies.supply_chain.no_opaque_installers import Known
from support.declared import IMAGE, POD, SECURE, SIZE

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"name": "main", "image": IMAGE, "securityContext": {**SECURE, **POD}, "resources": SIZE}
OF_PODS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "host-access hostNetwork": ("host-access", {"hostNetwork": True}),
    "host-access hostPID": ("host-access", {"hostPID": True}),
    "host-access hostPath": ("host-access", {"volumes": [{"name": "r", "hostPath": {"path": "/"}}]}),
    "image-by-digest volume": ("image-by-digest", {"volumes": [{"name": "m", "image": {"reference": "x.test/m:1"}}]}),
    "restricted-pods nfs": ("restricted-pods", {"volumes": [{"name": "n", "nfs": {"server": "x", "path": "/"}}]}),
    "privileged first": ("host-access", {"initContainers": [{**GOOD, "securityContext": {"privileged": True}}]}),
    "privileged sidecar": ("host-access", {"sidecars": [{**GOOD, "securityContext": {"privileged": True}}]}),
}
OF_CONTAINERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "host-access privileged": ("host-access", {"securityContext": {"privileged": True}}),
    "restricted-pods root": ("restricted-pods", {"securityContext": {"runAsUser": 0}}),
    "image-by-digest": ("image-by-digest", {"image": "x.test/x:1"}),
    "no-latest-image": ("no-latest-image", {"image": "x.test/x:latest"}),
    "bounded-resources": ("bounded-resources", {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}),
    "no-plain-secrets": ("no-plain-secrets", {"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}),
    "gpus-where-allowed": ("gpus-where-allowed", {"resources": {**SIZE, "limits": {"nvidia.com/gpu": 8}}}),
}
PLACES = [
    (group, kind, what, place)
    for (group, kind), each in WORKLOADS.items()
    for what, places in (("pod", each.pods), ("container", each.containers))
    for place in places
]
Changes = Mapping[str, Any]


def placed(place: str, value: Any) -> dict[str, Any]:
    """The value at a place of an object."""
    head, _, rest = place.partition(".")
    if not rest and head != "*":
        return {head: value}
    below = placed(rest, value) if rest else value
    if rest.startswith("*"):
        inner = placed(rest[2:], value) if rest[2:] else value
        return {head: {"Worker": inner} if head.endswith("ReplicaSpecs") else [inner]}
    return {head: below}


def resource(group: str, kind: str, fields: Changes, patch: str = "") -> Resource:
    version = f"{group}/v1" if group else "v1"
    props = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "models"}, **fields}
    return Resource(type=f"kubernetes:{version}:{kind}{patch}", name="x", props=props)


def refused(found: Resource) -> set[str]:
    judge = Judge(POLICIES, [])
    findings = list(judge.judge(found))
    assert [each.message for each in findings if "crashed" in each.message] == []
    return {each.policy.name for each in findings}


def evils(what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """By the policy that refuses it: a pod or a container that is otherwise in order."""
    if what == "pod":
        yield from ((policy, {"containers": [GOOD], **evil}) for policy, evil in OF_PODS.values())
        yield from ((policy, {"containers": [GOOD, {**GOOD, **evil}]}) for policy, evil in OF_CONTAINERS.values())
    else:
        yield from ((policy, {**GOOD, **evil}) for policy, evil in OF_CONTAINERS.values())


@pytest.mark.parametrize(("group", "kind", "what", "place"), PLACES)
def test_what_a_pod_must_not_have_is_found_in_every_kind(group: str, kind: str, what: str, place: str) -> None:
    templates = {"bounded-resources"} if kind.endswith("TrainingRuntime") else set()
    missed = [
        (policy, evil)
        for policy, evil in evils(what)
        if policy not in templates and policy not in refused(resource(group, kind, placed(place, evil)))
    ]
    assert missed == []


@pytest.mark.parametrize(("policy", "evil"), [*OF_PODS.values()])
def test_a_pod_that_looks_in_order_hides_none_beside_it(policy: str, evil: Changes) -> None:
    decoy = {"containers": [GOOD], "template": {"spec": {"containers": [GOOD], **evil}}}
    assert policy in refused(resource("apps", "Deployment", {"spec": decoy}))


@pytest.mark.parametrize(("policy", "evil"), [*OF_PODS.values()])
def test_a_patch_needs_no_containers_to_be_found(policy: str, evil: Changes) -> None:
    assert policy in refused(resource("apps", "Deployment", {"spec": {"template": {"spec": evil}}}, patch="Patch"))


def test_a_patch_need_not_say_what_it_leaves_as_it_is() -> None:
    image = {"containers": [{"name": "main", "image": IMAGE}]}
    assert refused(resource("apps", "Deployment", {"spec": {"template": {"spec": image}}}, patch="Patch")) == set()


def test_a_kind_is_judged_by_its_type_where_it_does_not_say_it() -> None:
    props = {"spec": {"template": {"spec": {"containers": [{**GOOD, "image": "x.test/x:1"}]}}}}
    assert "image-by-digest" in refused(Resource(type="kubernetes:apps/v1:Deployment", name="x", props=props))


def test_a_name_of_a_kind_that_runs_nothing_hides_no_pod_of_another_group() -> None:
    assert "host-access" in refused(resource("evil.test", "Secret", {"spec": {"hostNetwork": True}}))


KEYS = st.text("abcdefgh", min_size=1, max_size=4)
STEPS = st.lists(KEYS | st.just("*"), min_size=1, max_size=5)
EVILS = st.sampled_from([*evils("pod"), *((policy, evil) for policy, evil in evils("container"))])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=KEYS, steps=STEPS, evil=EVILS, beside=st.dictionaries(KEYS, st.none() | st.integers() | st.text()))
def test_an_unknown_kind_with_a_pod_anywhere_is_judged_as_one(
    kind: str, steps: list[str], evil: tuple[str, dict[str, Any]], beside: dict[str, Any]
) -> None:
    policy, value = evil
    for step, number in zip(reversed(steps), count(), strict=False):
        value = [value] if step == "*" else {**beside, f"{step}{number}": value}
    assert policy in refused(resource("drawn.test", kind.capitalize(), {"spec": value}))


def test_a_chart_is_judged_by_its_objects_and_refused_where_none_is_known() -> None:
    chart = Resource(type="kubernetes:helm.sh/v4:Chart", name="x", props={}, urn="urn:pulumi:a::b::chart::x")
    child = replace(resource("", "ConfigMap", {}), parent=chart.urn)
    judge = Judge([each for each in POLICIES if each.name == "no-opaque-installers"], [])
    assert [each.resource for each in judge.stack_findings([chart])] == [chart]
    assert list(judge.stack_findings([chart, child])) == []


def test_the_known_dynamic_resources_are_those_of_the_project() -> None:
    own = (ROOT / folder for folder in ("platform", "workloads"))
    declared = re.compile(r'^class .*\bmodule="(\w+)", name="(\w+)"\):$', re.MULTILINE)
    texts = (path.read_text() for folder in own for path in folder.rglob("*.py"))
    assert {":".join(found) for text in texts for found in declared.findall(text)} == Known().providers


@pytest.mark.parametrize(
    "patch", ["hostNetwork: true", '{"containers": [{"name": "main", "image": "x.test/x:latest"}]}']
)
def test_a_patch_that_is_a_text_is_read(patch: str) -> None:
    workflow = resource("argoproj.io", "Workflow", {"spec": {"podSpecPatch": patch}})
    assert {"host-access", "no-latest-image"} & refused(workflow)


@pytest.mark.parametrize("patch", ["{{inputs.parameters.patch}}", "hostNetwork", "a: [", "3"])
def test_a_patch_that_nobody_can_read_is_refused(patch: str) -> None:
    found = list(Judge(POLICIES, []).judge(resource("argoproj.io", "Workflow", {"spec": {"podSpecPatch": patch}})))
    assert "podSpecPatch is" in " ".join(each.message for each in found)
