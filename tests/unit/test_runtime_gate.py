"""The gate's rules, as a table: what each combination of numbers and settings leads to."""

from __future__ import annotations

import pytest
from ml_runtime.gate import Champion, Shown, decide
from ml_runtime.gate_spec import AgainstChampion, GateRules

SAME, OTHER = {"inputs": "a"}, {"inputs": "b"}
UNUSABLE = Shown(score=None, failure="ModuleNotFoundError: no module of one's own", signature=SAME)


def shown(score: float | None, *, signature: object = SAME) -> Shown:
    return Shown(score=score, signature=signature)


def champion(score: float | None, *, signature: object = SAME) -> Champion:
    return Champion(version="3", shown=shown(score, signature=signature))


@pytest.mark.parametrize(
    ("accuracy", "against", "deployed", "rule"),
    [
        (0.95, AgainstChampion.BETTER, None, "accepted"),
        (0.94, AgainstChampion.BETTER, None, "threshold"),
        (0.94, AgainstChampion.BETTER, champion(0.1), "threshold"),
        (0.97, AgainstChampion.BETTER, champion(0.96), "accepted"),
        (0.97, AgainstChampion.BETTER, champion(0.97), "champion"),
        (0.97, AgainstChampion.NOT_WORSE, champion(0.97), "accepted"),
        (0.96, AgainstChampion.NOT_WORSE, champion(0.97), "champion"),
        (0.96, AgainstChampion.IGNORE, champion(0.97), "accepted"),
        (0.99, AgainstChampion.BETTER, champion(0.97, signature=OTHER), "signature"),
        (0.99, AgainstChampion.IGNORE, champion(0.97, signature=OTHER), "signature"),
        (None, AgainstChampion.IGNORE, None, "serving-image"),
        (0.96, AgainstChampion.BETTER, champion(None), "accepted"),
        (0.96, AgainstChampion.BETTER, champion(None, signature=OTHER), "signature"),
    ],
)
def test_the_first_broken_rule_decides(
    accuracy: float | None, against: AgainstChampion, deployed: Champion | None, rule: str
) -> None:
    rules = GateRules(metric="accuracy", threshold=0.95, champion=against)
    judgement = decide(rules, shown(accuracy), 30, deployed)
    assert (rule, rule == "accepted") == (judgement.rule, judgement.accepted)


@pytest.mark.parametrize(
    ("rmse", "deployed", "rule"),
    [
        (0.4, None, "accepted"),
        (0.5, None, "accepted"),
        (0.6, None, "threshold"),
        (0.3, champion(0.4), "accepted"),
        (0.4, champion(0.4), "champion"),
        (0.45, champion(0.4), "champion"),
    ],
)
def test_less_is_better_where_errors_are_measured(rmse: float, deployed: Champion | None, rule: str) -> None:
    judgement = decide(GateRules(metric="rmse", threshold=0.5), shown(rmse), 30, deployed)
    assert judgement.rule == rule
    assert rule != "threshold" or judgement.reason == "rmse 0.6000 is above 0.5"


def test_a_gate_without_a_threshold_has_none() -> None:
    judgement = decide(GateRules(metric="accuracy"), shown(0.0), 30, None)
    assert judgement.accepted
    assert judgement.numbers == {"accuracy": 0.0, "held_out_rows": 30.0}


def test_another_signature_passes_where_the_settings_say_so() -> None:
    rules = GateRules(metric="accuracy", threshold=0.5, allow_signature_change=True)
    assert decide(rules, shown(0.9), 30, champion(0.8, signature=OTHER)).accepted


def test_a_model_that_the_serving_image_can_not_use_is_refused_with_the_reason() -> None:
    judgement = decide(GateRules(metric="accuracy"), UNUSABLE, 30, champion(0.8))
    assert (judgement.accepted, judgement.rule) == (False, "serving-image")
    assert "ModuleNotFoundError: no module of one's own" in judgement.reason


def test_the_judgement_carries_the_numbers_it_was_made_from() -> None:
    judgement = decide(GateRules(metric="accuracy", threshold=0.5), shown(0.9), 30, champion(0.95))
    expected = {"accuracy": 0.9, "threshold": 0.5, "held_out_rows": 30.0, "champion_accuracy": 0.95}
    assert expected == judgement.numbers
    assert "0.9000 is not better than the champion, version 3, with 0.9500" in judgement.reason
