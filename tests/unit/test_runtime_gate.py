"""The gate's rules, as tables: what each combination of settings and numbers leads to, and how settings are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ml_runtime.bootstrap import Comparison, Interval
from ml_runtime.errors import SpecError
from ml_runtime.gate import Champion, Evidence, Judgement, Refusal, decide
from ml_runtime.gate_spec import GateRules, VersusChampion, parse
from ml_runtime.metrics import METRICS

TAKES, TAKES_OTHERS = {"inputs": "a"}, {"inputs": "b"}
WORSE_BY_TWO = VersusChampion(margin=-0.02)


def about(value: float, width: float = 0.01) -> Interval:
    return Interval(value=value, low=value - width, high=value + width)


def judged(
    score: float | Refusal,
    champion: float | None = None,
    metric: str = "accuracy",
    signature: object = TAKES,
    evidence: dict[str, Any] | None = None,
    same: bool = False,
    **rules: Any,
) -> Judgement:
    """Of a candidate with this score, beside a champion with that; each interval is 0.01 to both sides."""
    deployed = None if champion is None else Champion(version="3", signature=TAKES, same=same)
    found = score
    if not isinstance(found, Refusal):
        beside = {}
        if champion is not None and not math.isnan(champion):
            gain = METRICS[metric].improvement(score, champion)
            beside = {"champion": about(champion), "difference": about(gain, 0.0 if same else 0.01)}
        found = Comparison(candidate=about(found), resamples=2000, **beside)
    shown = Evidence(
        **{"rows": 30, "candidate": found, "signature": signature, "champion": deployed, **(evidence or {})}
    )
    return decide(GateRules(metric=metric, **rules), METRICS[metric], shown)


@pytest.mark.parametrize(
    ("score", "champion", "rules", "rule"),
    [
        (0.95, None, {}, "accepted"),
        (0.95, None, {"at_least": 0.95}, "accepted"),
        (0.94, None, {"at_least": 0.95}, "at_least"),
        (0.94, 0.1, {"at_least": 0.95}, "at_least"),
        (0.98, 0.96, {}, "accepted"),
        (0.965, 0.96, {}, "champion"),  # better, and not surely so
        (0.96, 0.96, {}, "champion"),
        (0.95, 0.96, {}, "champion"),
        (0.98, 0.96, {"versus_champion": VersusChampion(margin=0.015)}, "champion"),
        (0.96, 0.96, {"versus_champion": WORSE_BY_TWO}, "accepted"),
        (0.955, 0.96, {"versus_champion": WORSE_BY_TWO}, "accepted"),
        (0.945, 0.96, {"versus_champion": WORSE_BY_TWO}, "champion"),
        (0.5, 0.96, {"versus_champion": None}, "accepted"),
        (0.5, math.nan, {}, "accepted"),  # a champion of which there is nothing to say counts as none
        (0.99, None, {"min_rows": 31}, "min_rows"),
        (0.5, None, {"min_rows": 31, "at_least": 0.9}, "min_rows"),
    ],
)
def test_the_first_broken_rule_decides(score: float, champion: float | None, rules: dict[str, Any], rule: str) -> None:
    found = judged(score, champion, **rules)
    assert (found.rule, found.accepted) == (rule, rule == "accepted")


@pytest.mark.parametrize(
    ("score", "champion", "rules", "rule"),
    [
        (0.5, None, {"at_most": 0.5}, "accepted"),
        (0.6, None, {"at_most": 0.5}, "at_most"),
        (0.3, 0.4, {}, "accepted"),
        (0.395, 0.4, {}, "champion"),
        (0.45, 0.4, {}, "champion"),
        (0.405, 0.4, {"versus_champion": WORSE_BY_TWO}, "accepted"),
    ],
)
def test_less_is_better_where_errors_are_measured(
    score: float, champion: float | None, rules: dict[str, Any], rule: str
) -> None:
    assert judged(score, champion, "rmse", **rules).rule == rule


@pytest.mark.parametrize("rule", ["flavour", "serving-image", "finite"])
def test_what_can_not_be_scored_is_refused_with_the_reason_whatever_the_champion_is(rule: str) -> None:
    found = judged(Refusal(rule, "no module of one's own"), 0.1)
    assert (found.accepted, found.rule) == (False, rule)
    assert "no module of one's own" in found.reason
    assert "accuracy" not in found.numbers


def test_another_signature_is_refused_unless_the_settings_allow_it() -> None:
    assert judged(0.99, 0.9, signature=TAKES_OTHERS).rule == "signature"
    assert judged(0.99, math.nan, signature=TAKES_OTHERS).rule == "signature"
    assert judged(0.99, 0.9, signature=TAKES_OTHERS, versus_champion=None).rule == "signature"
    assert judged(0.99, 0.9, signature=TAKES_OTHERS, allow_signature_change=True).accepted
    unknown = {"champion": Champion(version="3", signature=None)}
    assert judged(0.99, 0.9, signature=TAKES_OTHERS, evidence=unknown).accepted


def test_a_candidate_that_is_the_champion_over_again_is_no_failure() -> None:
    found = judged(0.9, 0.9, same=True)
    assert (found.rule, found.accepted) == ("same", True)
    assert found.reason == "it answers as the champion, version 3, does to all test rows, which stays"
    assert judged(0.9, 0.9, same=True, at_least=0.95).rule == "at_least"
    assert judged(0.9, 0.9, same=True, versus_champion=WORSE_BY_TWO).rule == "accepted"


def test_the_reason_has_the_numbers_and_what_else_is_to_be_known() -> None:
    notes = {"notes": ("no test row is of the class b",)}
    assert judged(0.95, 0.96, evidence=notes).reason == (
        "accuracy 0.95 (0.94 to 0.96) against 0.96 of the champion, version 3: better by -0.01, by at least -0.02 with "
        "a confidence of 0.95; it must be more than 0; no test row is of the class b"
    )
    assert judged(0.95, None, at_least=0.9).reason == "accuracy 0.95 (0.94 to 0.96) passes all rules"
    assert judged(0.6, None, "rmse", at_most=0.5).reason == "rmse 0.6 (0.59 to 0.61) is above 0.5"


def test_the_judgement_carries_all_numbers_it_was_made_from() -> None:
    found = judged(0.98, 0.96, at_least=0.5, evidence={"overlaps": {"test_rows_in_training": 0.25}}).numbers
    assert {name: round(value, 3) for name, value in found.items()} == {
        "rows": 30, "min_rows": 20, "confidence": 0.95, "threshold": 0.5, "margin": 0, "resamples": 2000,
        "accuracy": 0.98, "accuracy_low": 0.97, "accuracy_high": 0.99,
        "champion_accuracy": 0.96, "champion_accuracy_low": 0.95, "champion_accuracy_high": 0.97,
        "difference": 0.02, "difference_low": 0.01, "difference_high": 0.03,
        "test_rows_in_training": 0.25,
    }  # fmt: skip


def described(**gate: Any) -> Any:
    return {"run": "iris-gate-1", "candidate": "abc", "model": "iris", "gate": {"metric": "accuracy", **gate}}


def test_a_description_has_defaults() -> None:
    rules = parse(described()).gate
    assert rules == GateRules(metric="accuracy")
    assert parse(described(versus_champion={"margin": -0.1})).gate.versus_champion == VersusChampion(margin=-0.1)
    assert parse(described(versus_champion=None)).gate.versus_champion is None
    assert parse(described(metric="profit.py")).gate.metric == "profit.py"
    assert parse(described(approval="manual", approved=7)).gate.approved == 7


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"metric": "acuracy"}, "gate.metric is 'acuracy'; it must be one of"),
        ({"metric": "../profit.py"}, "gate.metric is '../profit.py'"),
        ({"at_most": 0.5}, "gate.at_most is 0.5; of accuracy more is better: name gate.at_least"),
        ({"metric": "rmse", "at_least": 0.5}, "gate.at_least is 0.5; of rmse less is better: name gate.at_most"),
        ({"at_least": "0.5"}, "gate.at_least is '0.5'; it must be a number"),
        ({"threshold": 0.5}, "unknown key gate.threshold"),
        ({"min_rows": 0}, "gate.min_rows is 0"),
        (
            {"versus_champion": {"confidence": 0.9999}},
            "gate.versus_champion.confidence is 0.9999; it must be a number fr",
        ),
        ({"versus_champion": "better"}, "gate.versus_champion must be an object, not str"),
        ({"flavours": []}, "gate.flavours is"),
        ({"approved": 7}, "gate.approved is 7, and gate.approval is automatic: make that manual, or drop it"),
        ({"approval": "sometimes"}, "gate.approval is 'sometimes'"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(gate: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse(described(**gate))
