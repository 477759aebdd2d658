"""What a run of the tests says of its failures at its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from support import causes

OUTPUT = """AssertionError: Updating (local):
 +  kubernetes:batch/v1:Job one creating (1s)
Diagnostics:
  ml-platform:workloads:RunOutcome (churn):
    error: Run churn-1 in namespace models failed: 3 rows
    have no target

  pulumi:pulumi:Stack (ml-platform-local):
    error: update failed

Resources:
    + 179 created

assert 1 == 0"""


def report(nodeid: str, message: str) -> Any:
    return SimpleNamespace(nodeid=nodeid, longrepr=SimpleNamespace(reprcrash=SimpleNamespace(message=message)))


def test_tests_that_failed_at_one_thing_are_named_together_with_what_it_complained_of() -> None:
    found = causes.of([report("a::one", OUTPUT), report("a::two", OUTPUT)])
    ((cause, failed),) = found.items()
    assert failed == ["a::one", "a::two"]
    assert "error: Run churn-1 in namespace models failed: 3 rows\n    have no target" in cause
    assert "error: update failed" in cause
    assert "179 created" not in cause


@pytest.mark.parametrize("first", ["error: all of this:", "assert 3 == 4"])
def test_a_long_output_is_shown_by_its_first_and_last_lines(first: str) -> None:
    lines = [first, *(f"line {number}" for number in range(100))]
    (cause,) = causes.of([report("a::one", "\n".join(lines))])
    assert cause.splitlines() == [*lines[: causes.LINES], "...", *lines[-causes.LINES :]]
