"""The policies judge what the stack files ask for, as CI does: by their environment's settings and exemptions."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import yaml
from ml_policies.engine import exemptions
from ml_policies.engine.judge import Finding, Judge
from support import clouds, stacks
from support.policies import findings, judge_of, recorded


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    stacks.log_in(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    "stack",
    [pytest.param(each, marks=[] if each in stacks.LEAN else pytest.mark.mirror) for each in sorted(stacks.FILES)],
)
def test_a_stack_keeps_the_policies(stack: str) -> None:
    assert refused(stack, environment(stack)) == []


@pytest.mark.mirror
def test_a_stack_can_keep_what_production_asks_for() -> None:
    assert refused("everything", "production") == []


@pytest.mark.mirror
def test_every_exemption_is_used() -> None:
    used = {exemption for stack in stacks.FILES for exemption in judged(stack, environment(stack))[1].exempted}
    assert [each.resources for each in exemptions.load() if each not in used] == []


def refused(stack: str, environment: str) -> list[str]:
    return [each.message for each in judged(stack, environment)[0] if each.level == "mandatory"]


@functools.cache
def judged(stack: str, environment: str) -> tuple[list[Finding], Judge]:
    judge = judge_of(environment)
    return findings(judge, recorded(stacks.record(stack, world=clouds.Cloud()))), judge


def environment(stack: str) -> str:
    """The stack that a file is for: examples for tests are of the two that need nothing of a cloud."""
    if (stacks.ROOT / "stacks" / f"Pulumi.{stack}.yaml").exists():
        return stack
    source: str = yaml.safe_load(stacks.FILES[stack].read_text())["config"]["ml-platform:cluster"]["source"]
    return source
