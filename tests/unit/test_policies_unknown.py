"""What is not known before the update: it is reported where a policy would look at it, and taken for nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_policies.catalog import POLICIES
from ml_policies.engine.judge import Judge
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import Fields, Items, UnknownError, read
from ml_policies.shapes.quantities import number
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN
from support.declared import GOOD
from support.declared import resources as good
from support.refused import MAIN, Case, changed

POD = "spec.template.spec"
ROWS: list[tuple[str, str, str]] = [
    ("monthly-cost", "web", f"{MAIN}.resources.requests.cpu"),
    ("restricted-pods", "web", f"{MAIN}.securityContext.seccompProfile"),
    ("restricted-pods", "web", f"{POD}.securityContext.seccompProfile"),
    ("restricted-pods", "web", f"{MAIN}.securityContext.runAsNonRoot"),
    ("restricted-pods", "web", f"{MAIN}.securityContext.runAsUser"),
    ("restricted-pods", "web", f"{MAIN}.securityContext"),
    ("no-wildcard-rights", "reader", "rules.0.verbs.0"),
    ("gpus-where-allowed", "train", "spec.trainer.resourcesPerNode.limits"),
    ("bounded-run-size", "train", "spec.trainer.resourcesPerNode.limits.cpu"),
    ("bounded-resources", "web", f"{MAIN}.resources"),
    ("image-by-digest", "iris", "spec.predictor.containers"),
    ("host-access", "iris", "spec.predictor.volumes"),
    ("no-plain-secrets", "web", f"{MAIN}.env.0.value"),
]


def known(props: Any) -> Any:
    struct = struct_pb2.Struct()
    struct.update(props)
    return read(struct)


def resources(name: str, path: str, **others: Any) -> list[Resource]:
    """The good stack as the engine sends it, with one value unknown."""
    stack = changed([Case("", name, {path: UNKNOWN, **others})])
    return [replace(each, props=known(each.props)) if each.name == name else each for each in good(stack)]


def judged(judge: Judge, declared: list[Resource]) -> list[str]:
    found = [*(found for each in declared for found in judge.judge(each)), *judge.stack_findings(declared)]
    return [each.message for each in found]


@pytest.mark.parametrize(("policy", "name", "path"), ROWS)
def test_a_policy_that_can_not_know_a_value_says_so(policy: str, name: str, path: str) -> None:
    judge = Judge([each for each in POLICIES if each.name == policy], [])
    assert judged(judge, resources(name, path)) == []
    assert {about for about, _ in judge.unknown} == {policy}


def test_an_unknown_value_hides_no_fault_beside_it() -> None:
    rights = {f"{MAIN}.securityContext.allowPrivilegeEscalation": True}
    declared = resources("web", f"{MAIN}.securityContext.seccompProfile", **rights)
    judge = Judge([each for each in POLICIES if each.name == "restricted-pods"], [])
    assert "more rights than its parent" in " ".join(judged(judge, declared))


@pytest.mark.parametrize(
    ("policy", "name", "path"),
    [
        ("restricted-pods", "web", f"{POD.removesuffix('.spec')}.metadata.annotations"),
        ("edge-tls", "ingress", "metadata.annotations"),
    ],
)
def test_an_unknown_annotation_that_no_rule_is_about_is_nobodys_affair(policy: str, name: str, path: str) -> None:
    stack = changed([Case("", name, {path: {"checksum": UNKNOWN}})])
    declared = [replace(each, props=known(each.props)) if each.name == name else each for each in good(stack)]
    judge = Judge([each for each in POLICIES if each.name == policy], [])
    assert (judged(judge, declared), judge.unknown) == ([], {})


def paths(tree: Any, above: str = "") -> list[str]:
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path for key, each in below for path in (f"{above}{key}", *paths(each, f"{above}{key}."))]


ANYWHERE = [
    (name, path)
    for name, each in GOOD.items()
    for path in paths(dict(each.props))
    if "/" not in path and path not in ("kind", "apiVersion")
]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ANYWHERE))
def test_no_policy_crashes_over_an_unknown_value_wherever_it_is(where: tuple[str, str]) -> None:
    judge = Judge(POLICIES, [])
    judge.configure("image-registry", None, {"registries": ["registry.example.com"]})
    assert [message for message in judged(judge, resources(*where)) if "crashed" in message] == []


@pytest.mark.parametrize(
    "merge",
    [
        lambda fields: {**fields},
        lambda fields: dict(fields),
        lambda fields: {}.update(fields),
        lambda fields: list(fields["list"]),
        lambda fields: set(fields["list"]),
        lambda fields: "*" in fields["list"],
        lambda fields: sorted(fields["list"]),
    ],
)
def test_no_way_of_copying_gives_a_placeholder_away(merge: Any) -> None:
    fields = known({"a": UNKNOWN, "list": [UNKNOWN, "b"]})
    assert isinstance(fields, Fields)
    assert isinstance(fields["list"], Items)
    with pytest.raises(UnknownError):
        merge(fields)
    assert (len(fields), list(fields), "a" in fields, "c" in fields) == (2, ["a", "list"], True, False)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("100u", 1e-4), ("500n", 5e-7), ("1E3", 1000), ("1Ei", 1024.0**6), ("2E", 2e18), ("1e-1", 0.1), (".5", 0.5),
     ("500m", 0.5), ("1.5Gi", 1.5 * 1024**3), (2, 2)],
)  # fmt: skip
def test_quantities_of_every_form_are_numbers(quantity: Any, value: float) -> None:
    assert number(quantity) == pytest.approx(value)
