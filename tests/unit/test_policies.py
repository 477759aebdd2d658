"""The policies one by one: a stack that all accept, and for each the change that it alone refuses, in its words."""

from __future__ import annotations

from typing import Any

import pytest
from ml_policies.catalog import GROUPS, POLICIES
from ml_policies.engine.judge import Finding, Judge
from support.declared import GOOD, resources
from support.refused import CASES, Case, changed

STRICT: dict[str, dict[str, Any]] = {
    "image-registry": {"registries": ["registry.example.com"]},
    "enough-replicas": {"minimum": 3},
}


def judge() -> Judge:
    strict = Judge(POLICIES, [])
    for name, parameters in STRICT.items():
        strict.configure(name, None, parameters)
    return strict


def findings(stack: Any) -> list[Finding]:
    strict, declared = judge(), resources(stack)
    return [*(found for each in declared for found in strict.judge(each)), *strict.stack_findings(declared)]


def test_a_stack_that_is_in_order_passes_all_of_them() -> None:
    assert [found.message for found in findings(GOOD)] == []


def test_every_policy_has_its_case() -> None:
    assert {case.policy for case in CASES} == {policy.name for policy in POLICIES}
    assert len({policy.name for policy in POLICIES}) == sum(map(len, GROUPS.values()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.policy)
def test_a_policy_alone_refuses_what_breaks_it(case: Case) -> None:
    found = findings(changed([case]))
    assert {each.policy.name for each in found} == {case.policy, *case.also}, [each.message for each in found]
    assert case.words in " ".join(each.message for each in found)
    about = case.about or ("" if case.policy == "monthly-cost" else case.resource)
    assert {each.resource.name if each.resource else "" for each in found} == {about}
