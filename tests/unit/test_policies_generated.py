"""Objects without end: what is in order passes, what the table says is evil never does, and no policy crashes.

Some hundreds of each in every run, ten thousand in the long one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from ml_policies.catalog import POLICIES
from ml_policies.engine.judge import Judge
from ml_policies.engine.resource import Resource
from ml_policies.shapes.workloads import workload
from support import drawn
from support.declared import GOOD
from support.declared import resources as good

MANY = pytest.mark.parametrize("examples", [300, pytest.param(10_000, marks=pytest.mark.long)])
OF_PODS = frozenset(policy for table in (drawn.EVIL, drawn.WICKED) for policy, _ in table.values())


def each_of(strategy: SearchStrategy[Any], examples: int, check: Callable[[Any], None]) -> None:
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    limits(given(strategy)(check))()


def judged(declared: Resource, beside: Sequence[Resource] = ()) -> list[tuple[str, str]]:
    judge = Judge(POLICIES, [])
    found = [*judge.judge(declared), *judge.stack_findings([declared, *beside])]
    assert [each.message for each in found if "crashed" in each.message] == []
    return [(each.policy.name, each.message) for each in found]


@MANY
def test_no_evil_workload_passes(examples: int) -> None:
    def check(case: tuple[str, Resource]) -> None:
        policy, declared = case
        if policy == "gpus-where-allowed" and workload(declared).template:
            return  # who names it asks for them
        assert policy in {name for name, _ in judged(declared)}

    each_of(drawn.workloads(evil=True), examples, check)


@MANY
def test_no_workload_in_order_is_refused_for_its_pods(examples: int) -> None:
    def check(case: tuple[str, Resource]) -> None:
        assert [message for name, message in judged(case[1]) if name in OF_PODS] == []

    each_of(drawn.workloads(evil=False), examples, check)


@MANY
def test_no_policy_crashes_over_what_is_null_gone_or_unknown(examples: int) -> None:
    others = good(GOOD)

    def check(case: tuple[str, Mapping[str, Any]]) -> None:
        name, props = case
        (whole,) = (each for each in others if each.name == name)
        judged(replace(whole, props=props), [each for each in others if each is not whole])

    each_of(drawn.holes(), examples, check)
