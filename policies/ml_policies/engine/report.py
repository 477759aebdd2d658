"""What a run of the policies says beside its findings: how much was judged, what could not be, and what is exempt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ml_policies.engine.judge import Judge
from ml_policies.engine.policy import Policy
from ml_policies.engine.resource import Resource

NAME = "report"
TITLE = "What was judged, what is unknown, and what is exempt."


def text(judge: Judge, resources: Sequence[Resource]) -> str:
    return "\n".join(_lines(judge, resources))


def _lines(judge: Judge, resources: Sequence[Resource]) -> Iterator[str]:
    counts = (len(resources), len(judge.active(Policy)), judge.unknown.total(), judge.exempted.total())
    yield "{} resources, {} policies, {} values unknown, {} findings exempt".format(*counts)
    yield from judge.said(resources)
    for (policy, where), _ in sorted(judge.unknown.items()):
        yield f"unknown before the update: {policy} could not judge {where}"
    for each in judge.needless(resources):
        what = f"{', '.join(each.policies)} for {', '.join(each.resources)}"
        yield f"exempt from nothing any more: {what} (until {each.until}); remove the exemption"
    for each, count in judge.exempted.items():
        bundle = "" if each.bundle == "*" else f" of bundle {each.bundle}"
        what = f"{', '.join(each.resources)}{bundle}, {count} x {', '.join(each.policies)}"
        yield f"exempt until {each.until}: {what}: {each.reason}"
