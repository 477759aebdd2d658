"""What the policies say: all by what an environment sets, or one alone of the good stack with a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ml_policies.catalog import POLICIES
from ml_policies.engine import environments, exemptions
from ml_policies.engine.judge import Finding, Judge
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import Hidden
from support import recorder
from support.declared import resources
from support.recorder import Recorder
from support.refused import Case, changed


def judge_of(stack: str) -> Judge:
    judge = Judge(POLICIES, exemptions.load(), stack=stack)
    for name, settings in environments.load(stack).items():
        judge.configure(name, settings.level, settings.parameters)
    return judge


def findings(judge: Judge, declared: Sequence[Resource]) -> list[Finding]:
    return [*(found for each in declared for found in judge.judge(each)), *judge.stack_findings(declared)]


def recorded(found: Recorder) -> list[Resource]:
    """What a program has asked for, as the judge gets it."""
    return [
        Resource(
            type=request.type,
            name=request.name,
            props=_hidden(recorder.inputs(request)),
            urn=urn,
            parent=request.parent,
            protect=request.protect,
        )
        for urn, request in found.requests.items()
    ]


def _hidden(value: Any) -> Any:
    """With secrets as the pack gets them."""
    if isinstance(value, dict):
        return {key: _hidden(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return Hidden(value) if value == recorder.HIDDEN else value


def said(policy: str, resource: str, changes: dict[str, Any], settings: dict[str, Any] | None = None) -> list[str]:
    """What one policy has to say, by its own settings or by these."""
    judge = Judge([each for each in POLICIES if each.name == policy], [])
    judge.configure(policy, "mandatory", settings or {})
    return [each.message for each in findings(judge, resources(changed([Case(policy, resource, changes)])))]
