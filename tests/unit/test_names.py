"""Names and labels that fit where they are put, whatever a stack is called."""

from __future__ import annotations

import re

import pulumi
import pytest
from ml_platform import labels, names
from support import recorder
from support.made_up import LABELS

pytestmark = pytest.mark.unit

LONG = [f"{'team-churn-' * 10}"[:length] for length in (63, 64, 73, 80, 100)]
STACKS = ["dev", "dev_", "-", "_._", "Prod.EU", "a" * 63, *LONG]
"""All that Pulumi takes as the name of a stack."""


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("allowed", [names.KUBERNETES, names.GOOGLE])
def test_every_name_of_a_stack_becomes_a_label(stack: str, allowed: re.Pattern[str]) -> None:
    assert allowed.fullmatch(names.label(stack, allowed))


@pytest.mark.parametrize("stack", ["dev", "dev-2", "a" * 63])
@pytest.mark.parametrize("allowed", [names.KUBERNETES, names.GOOGLE])
def test_a_name_that_is_a_label_stays_as_it_is(stack: str, allowed: re.Pattern[str]) -> None:
    assert names.label(stack, allowed) == stack


def test_two_stacks_never_have_the_same_label() -> None:
    alike = ["dev", "dev_", "dev.", "Dev", "DEV", *("a" * 80 + end for end in ("b", "c"))]
    for allowed in (names.KUBERNETES, names.GOOGLE):
        assert len({names.label(stack, allowed) for stack in alike}) == len(alike)


@pytest.mark.parametrize(("text", "length"), [("a" * 20, 20), ("a" * 21, 20), ("a" * 200, 20)])
def test_a_name_is_as_long_as_it_may_be_at_most(text: str, length: int) -> None:
    assert len(names.shortened(text, 20)) == length
    assert names.shortened(text, 20).startswith("a" * 11)


@pytest.mark.parametrize("stack", STACKS)
def test_the_objects_of_a_stack_carry_its_name_as_far_as_labels_go(stack: str) -> None:
    found: dict[str, str] = {}

    def program() -> None:
        found.update(labels.of_stack())
        pulumi.export("done", True)

    recorder.record(program, stack=stack)
    assert found.keys() == LABELS.keys()
    assert names.KUBERNETES.fullmatch(found["ml-platform/stack"])
