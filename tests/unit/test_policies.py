"""The policies one by one: a stack that all accept, and for each the change that it alone refuses, in its words."""

from __future__ import annotations

from typing import Any

import pytest
from ml_policies.catalog import GROUPS, POLICIES
from ml_policies.engine.judge import Judge
from support.declared import GOOD, resources
from support.policies import findings, judge_of
from support.refused import CASES, PREDICTOR, Case, changed

STRICT: dict[str, dict[str, Any]] = {
    "image-registry": {"registries": ["registry.example.com"]},
    "enough-replicas": {"minimum": 3},
}
PRODUCTION = [
    Case("enough-replicas", "iris", {f"{PREDICTOR}.minReplicas": 1}),
    *(case for case in CASES if case.policy in ("disruption-budget", "ownership-labels", "trusted-edge")),
]


def judge() -> Judge:
    strict = Judge(POLICIES, [])
    for name, parameters in STRICT.items():
        strict.configure(name, None, parameters)
    return strict


def test_a_stack_that_is_in_order_passes_all_of_them() -> None:
    assert [found.message for found in findings(judge(), resources(GOOD))] == []


def test_every_policy_has_its_case() -> None:
    assert {case.policy for case in CASES} == {policy.name for policy in POLICIES}
    assert len({policy.name for policy in POLICIES}) == sum(map(len, GROUPS.values()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.policy)
def test_a_policy_alone_refuses_what_breaks_it(case: Case) -> None:
    found = findings(judge(), resources(changed([case])))
    assert {each.policy.name for each in found} == {case.policy, *case.also}, [each.message for each in found]
    assert case.words in " ".join(each.message for each in found)
    about = case.about or ("" if case.policy == "monthly-cost" else case.resource)
    assert {each.resource.name if each.resource else "" for each in found} == {about}


@pytest.mark.parametrize("case", PRODUCTION, ids=lambda case: case.policy)
def test_production_refuses_what_others_may_have(case: Case) -> None:
    declared = resources(changed([case]))
    refused = {
        stack: {found.policy.name for found in findings(judge_of(stack), declared) if found.level == "mandatory"}
        for stack in ("production", "another")
    }
    assert refused == {"production": {case.policy}, "another": set()}
