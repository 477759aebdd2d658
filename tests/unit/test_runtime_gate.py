"""The gate's rules, as a table: what each combination of numbers and settings leads to."""

from __future__ import annotations

import pytest
from ml_runtime.gate import Champion, decide
from ml_runtime.spec import AgainstChampion, GateRules


def champion(accuracy: float, *, same_signature: bool = True) -> Champion:
    return Champion(version="3", accuracy=accuracy, same_signature=same_signature)


@pytest.mark.parametrize(
    ("accuracy", "against", "deployed", "rule"),
    [
        (0.95, AgainstChampion.BETTER, None, "accepted"),
        (0.94, AgainstChampion.BETTER, None, "minimum-accuracy"),
        (0.94, AgainstChampion.BETTER, champion(0.1), "minimum-accuracy"),
        (0.97, AgainstChampion.BETTER, champion(0.96), "accepted"),
        (0.97, AgainstChampion.BETTER, champion(0.97), "champion"),
        (0.97, AgainstChampion.NOT_WORSE, champion(0.97), "accepted"),
        (0.96, AgainstChampion.NOT_WORSE, champion(0.97), "champion"),
        (0.96, AgainstChampion.IGNORE, champion(0.97), "accepted"),
        (0.99, AgainstChampion.BETTER, champion(0.97, same_signature=False), "signature"),
        (0.99, AgainstChampion.IGNORE, champion(0.97, same_signature=False), "signature"),
    ],
)
def test_the_first_broken_rule_decides(
    accuracy: float, against: AgainstChampion, deployed: Champion | None, rule: str
) -> None:
    judgement = decide(GateRules(minimum_accuracy=0.95, champion=against), accuracy, 30, deployed)
    assert (rule, rule == "accepted") == (judgement.rule, judgement.accepted)


def test_another_signature_passes_where_the_settings_say_so() -> None:
    rules = GateRules(minimum_accuracy=0.5, allow_signature_change=True)
    assert decide(rules, 0.9, 30, champion(0.8, same_signature=False)).accepted


def test_the_judgement_carries_the_numbers_it_was_made_from() -> None:
    judgement = decide(GateRules(minimum_accuracy=0.5), 0.9, 30, champion(0.95))
    expected = {"accuracy": 0.9, "minimum_accuracy": 0.5, "held_out_rows": 30.0, "champion_accuracy": 0.95}
    assert expected == judgement.numbers
    assert "0.9000 is not better than the champion, version 3, with 0.9500" in judgement.reason
