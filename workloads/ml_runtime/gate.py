"""The rules that decide whether a candidate is accepted: by which rule and numbers, as data.

It owns the rules alone. What they look at is put together by ml_runtime.evidence; what follows is done by
ml_runtime.register.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ml_runtime.bootstrap import Comparison, Interval
from ml_runtime.gate_spec import GateRules
from ml_runtime.metrics import Metric

ACCEPTED, SAME = "accepted", "same"
"""`same`: the champion is as good as the candidate, being no other; it stays."""


@dataclass(frozen=True)
class Refusal:
    """The rule that a model breaks by itself, and how."""

    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The deployed model."""

    version: str
    signature: object
    """None: it is not known."""
    same: bool = False
    """Whether it answers to every test row what the candidate answers, in every number."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the rules look at, all of it from the candidate's test rows in the serving image."""

    rows: int
    candidate: Comparison | Refusal
    """What it shows, alone or beside the champion; or why it can't be scored."""
    signature: object
    champion: Champion | None = None
    notes: tuple[str, ...] = ()
    """What a reader of the verdict should know besides, each the rest of a sentence."""
    overlaps: Mapping[str, float] = field(default_factory=dict)
    """Parts of the test rows that a model has learned from, by name."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`rule` is the one that refused, or `accepted` or `same`."""

    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)


def decide(rules: GateRules, metric: Metric, evidence: Evidence) -> Judgement:
    """Apply the rules in order; the first that is broken decides."""
    rule, reason = _broken(rules, metric, evidence) or _kept(rules, metric, evidence)
    words = "; ".join([reason, *evidence.notes])
    return Judgement(
        accepted=rule in (ACCEPTED, SAME), rule=rule, reason=words, numbers=dict(_numbers(rules, metric, evidence))
    )


def _broken(rules: GateRules, metric: Metric, evidence: Evidence) -> tuple[str, str] | None:
    """The first rule that is, and how."""
    found, champion = evidence.candidate, evidence.champion
    if isinstance(found, Refusal):
        return found.rule, found.reason
    if evidence.rows < rules.min_rows:
        return "min_rows", (
            f"{evidence.rows} test rows judge nothing, gate.min_rows is {rules.min_rows}; take more data, a greater "
            "part of them (`test` of the data), or lower it"
        )
    if rules.threshold is not None and not metric.reaches(found.candidate.value, rules.threshold):
        side, key = ("above", "at_most") if metric.less_is_better else ("below", "at_least")
        return key, f"{metric.name} {_said(found.candidate)} is {side} {rules.threshold}"
    if champion and _changed(rules, evidence, champion):
        return "signature", (
            f"the champion, version {champion.version}, takes or answers other columns; gate.allow_signature_change "
            "permits it"
        )
    return _worse(rules, metric, champion, found)


def _changed(rules: GateRules, evidence: Evidence, champion: Champion) -> bool:
    """Whether clients would have to ask otherwise, which the settings forbid."""
    return not rules.allow_signature_change and champion.signature not in (None, evidence.signature)


def _worse(rules: GateRules, metric: Metric, champion: Champion | None, found: Comparison) -> tuple[str, str] | None:
    versus = rules.versus_champion
    if versus is None or champion is None or found.difference is None or found.difference.low > versus.margin:
        return None
    if champion.same:
        return SAME, f"it answers as the champion, version {champion.version}, does to all test rows, which stays"
    return "champion", f"{_against(rules, metric, champion, found)}; it must be more than {versus.margin:g}"


def _kept(rules: GateRules, metric: Metric, evidence: Evidence) -> tuple[str, str]:
    """What is said of an accepted model."""
    found, champion = evidence.candidate, evidence.champion
    assert isinstance(found, Comparison)  # noqa: S101 - a refusal is a broken rule
    if rules.versus_champion and champion and found.difference:
        return ACCEPTED, f"{_against(rules, metric, champion, found)}, more than {rules.versus_champion.margin:g}"
    return ACCEPTED, f"{metric.name} {_said(found.candidate)} passes all rules"


def _against(rules: GateRules, metric: Metric, champion: Champion, found: Comparison) -> str:
    assert found.champion and found.difference  # noqa: S101, PT018 - whoever compares has both
    return (
        f"{metric.name} {_said(found.candidate)} against {found.champion.value:.4g} of the champion, version "
        f"{champion.version}: better by {found.difference.value:.4g}, by at least {found.difference.low:.4g} with a "
        f"confidence of {rules.confidence:g}"
    )


def _said(interval: Interval) -> str:
    return f"{interval.value:.4g} ({interval.low:.4g} to {interval.high:.4g})"


def _numbers(rules: GateRules, metric: Metric, evidence: Evidence) -> Iterator[tuple[str, float]]:
    """All that there is, by name."""
    yield "rows", float(evidence.rows)
    yield "min_rows", float(rules.min_rows)
    yield "confidence", rules.confidence
    if rules.threshold is not None:
        yield "threshold", rules.threshold
    if rules.versus_champion:
        yield "margin", rules.versus_champion.margin
    yield from evidence.overlaps.items()
    if isinstance(evidence.candidate, Refusal):
        return
    found = evidence.candidate
    yield "resamples", float(found.resamples)
    named = {metric.name: found.candidate, f"champion_{metric.name}": found.champion, "difference": found.difference}
    for name, interval in named.items():
        if interval:
            yield from ((name, interval.value), (f"{name}_low", interval.low), (f"{name}_high", interval.high))
