"""The rules that decide whether a candidate becomes champion: accepted or refused, by which rule and numbers, as data.

It owns the rules alone. Who scores the models is ml_runtime.serving, who registers them ml_runtime.register.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ml_runtime.gate_spec import AgainstChampion, GateRules
from ml_runtime.metrics import METRICS

ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a model showed on the candidate's held-out rows in the serving image."""

    score: float | None
    """None: it could not be asked there."""
    failure: str = ""
    """Why not."""
    signature: object = None


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The deployed model, and what it showed on the same rows."""

    version: str
    shown: Shown


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`rule` is the one that refused, or "accepted"."""

    accepted: bool
    rule: str
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)


def decide(rules: GateRules, candidate: Shown, rows: int, champion: Champion | None) -> Judgement:
    """Apply the rules in order; the first that is broken decides. A champion that can't even be asked in the image that
    is to serve is worse than any candidate."""
    deployed = champion.shown.score if champion else None
    numbers = {
        rules.metric: candidate.score,
        "threshold": rules.threshold,
        f"champion_{rules.metric}": deployed,
        "held_out_rows": float(rows),
    }
    known = {name: value for name, value in numbers.items() if value is not None}
    rule, reason = _broken(rules, candidate, champion) or (ACCEPTED, _praise(rules, candidate))
    return Judgement(accepted=rule == ACCEPTED, rule=rule, reason=reason, numbers=known)


def _broken(rules: GateRules, candidate: Shown, champion: Champion | None) -> tuple[str, str] | None:
    """The first rule that is, and how."""
    metric, score = METRICS[rules.metric], candidate.score
    if score is None:
        return "serving-image", f"the serving image can't use the model: {candidate.failure}"
    if rules.threshold is not None and not metric.reaches(score, rules.threshold):
        side = "above" if metric.less_is_better else "below"
        return "threshold", f"{rules.metric} {score:.4f} is {side} {rules.threshold}"
    if champion is None:
        return None
    against, deployed = f"the champion, version {champion.version},", champion.shown.score
    if candidate.signature != champion.shown.signature and not rules.allow_signature_change:
        return "signature", f"{against} takes or answers other columns; allow_signature_change permits it"
    if deployed is None or rules.champion is AgainstChampion.IGNORE:
        return None
    if rules.champion is AgainstChampion.BETTER and not metric.better(score, deployed):
        return "champion", f"{rules.metric} {score:.4f} is not better than {against} with {deployed:.4f}"
    if metric.better(deployed, score):
        return "champion", f"{rules.metric} {score:.4f} is worse than {against} with {deployed:.4f}"
    return None


def _praise(rules: GateRules, candidate: Shown) -> str:
    return f"{rules.metric} {candidate.score:.4f} passes all rules"
