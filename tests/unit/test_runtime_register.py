"""The gate as a step of its own, against a registry of dicts: what it asks, what it registers, and nothing twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pandas
import pytest
from ml_runtime import evidence, kept, register
from ml_runtime.answers import Answers
from ml_runtime.apart import FaultError, MachineError
from ml_runtime.errors import RunError
from ml_runtime.verdict import Verdict
from support.registry import COUNT, DIGEST, HALF, RIGHT, ROWS, Registry, described, use, versions


def test_an_accepted_candidate_is_a_version_with_its_digest_and_both_aliases(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    verdict = register.register(described())
    assert (verdict.accepted, verdict.outputs) == (True, {"version": "1", "champion": "1"})
    assert registry.aliases == {"challenger": "1", "champion": "1"}
    assert registry.versions[0].tags == {"ml-platform.files.sha256": "sha256 of new"}
    assert registry.drawn == ["new/gate/iris-gate-1.png"]


def test_where_approval_is_manual_an_accepted_candidate_is_challenger_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    verdict = register.register(described(approval="manual"))
    assert verdict.outputs == {"version": "2", "champion": "1"}
    assert registry.aliases == {"challenger": "2", "champion": "1"}
    verdict = register.register(described(run="iris-gate-2", approval="manual", approved=2))
    assert verdict.outputs == {"version": "2", "champion": "2"}
    assert registry.asked == ["old", "new", "old", "new"]  # what is approved is not compared with itself


@pytest.mark.parametrize(("tags", "words"), [({"ml-platform.files.sha256": "d"}, r"those are \[1\]"), ({}, "none yet")])
def test_a_version_that_no_gate_has_accepted_can_not_be_approved(
    tags: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    registry.versions = [
        SimpleNamespace(version="1", run_id="x", tags=tags),
        SimpleNamespace(version="2", run_id="y", tags={}),
    ]
    with pytest.raises(RunError, match=f"gate.approved is 2, which is no version .* accepted; .*{words}"):
        register.register(described(approval="manual", approved=2))


def test_a_refused_candidate_leaves_the_registry_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=HALF), monkeypatch)
    verdict = register.register(described())
    assert (verdict.rule, verdict.outputs) == ("at_least", {})
    assert (registry.versions, registry.aliases) == ([], {})


def test_candidate_and_champion_are_asked_about_the_same_rows_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    verdict = register.register(described())
    assert registry.asked == ["old", "new", "old"]
    numbers = {name: verdict.numbers[name] for name in ("accuracy", "champion_accuracy", "difference", "rows")}
    assert numbers == {"accuracy": 1.0, "champion_accuracy": 0.5, "difference": 0.5, "rows": 40.0}
    assert verdict.numbers["difference_low"] > 0.3
    assert (verdict.outputs["champion"], versions(registry)) == ("2", ["old", "new"])


def test_rows_of_one_group_are_drawn_together_and_must_be_those_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=numpy.where(numpy.arange(COUNT) < 4, "c", RIGHT)), monkeypatch)
    alone = register.register(described(at_least=0.5)).numbers["accuracy_low"]
    groups = kept.groups(numpy.arange(COUNT, dtype="uint64") // 8 + 7)
    assert groups
    content = hashlib.sha256(groups).hexdigest()
    registry.tags["new"]["ml-platform.test.groups.sha256"] = content
    registry.artifacts[f"test/{content}.json"] = groups
    verdict = register.register(described(run="iris-gate-2", at_least=0.5))
    assert "the test rows are of 5 groups, which are drawn whole" in verdict.reason
    assert verdict.numbers["accuracy_low"] < alone
    registry.artifacts[f"test/{content}.json"] = b"[0]"
    with pytest.raises(RunError, match="somebody replaced it"):
        register.register(described(run="iris-gate-3"))


def test_the_verdict_tells_which_rows_others_know(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    registry.tags["new"]["ml-platform.data.notes"] = "no test row is of the class c"
    verdict = register.register(described())
    assert verdict.numbers["test_rows_in_training"] == verdict.numbers["test_rows_in_training_of_champion"] == 0.25
    assert "no test row is of the class c; the champion's own run kept the same test rows" in verdict.reason
    registry.tags["old"]["ml-platform.test.sha256"] = "other"
    del registry.artifacts["test/test-rows.json"]
    registry.aliases["champion"] = "1"
    verdict = register.register(described(run="iris-gate-3"))
    assert "the champion's own run kept other test rows" in verdict.reason
    assert "test_rows_in_training" not in verdict.numbers


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            FaultError("no module named 'mine'"),
            "counts as none: the serving image can't use the model: no module named",
        ),
        ("code", "counts as none: it is code"),
        ("replaced", "counts as none: its files have the digest .*, and a gate has accepted sha256 of old"),
        ("unjudged", "counts as none: its files have the digest .*, and a gate has accepted none"),
    ],
    ids=["it breaks", "it is of a forbidden flavour", "its files are others", "it was never judged"],
)
def test_a_champion_of_which_there_is_nothing_to_say_counts_as_none_and_that_is_said(
    broken: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(old=RIGHT, new=RIGHT), monkeypatch)
    register.register(described(candidate="old"))
    if isinstance(broken, Exception):
        registry.answers["old"] = broken
    registry.flavours["old"] = "pyfunc" if broken == "code" else "sklearn"
    registry.files["old"] = "others" if broken == "replaced" else "old"
    if broken == "unjudged":
        registry.versions[0].tags.clear()
    verdict = register.register(described(flavours=["sklearn"]))
    assert (verdict.rule, verdict.outputs["champion"]) == ("accepted", "2")
    assert pandas.Series([verdict.reason]).str.contains(f"the champion, version 1, {words}").all()


def test_a_champion_without_probabilities_counts_as_none_for_a_metric_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = numpy.array([[0.9, 0.1], [0.1, 0.9]] * (COUNT // 2))
    sure = Answers(labels=RIGHT, probabilities=shown, classes=("a", "b"))
    use(Registry(old=RIGHT, new=sure), monkeypatch)
    register.register(described(candidate="old"))
    verdict = register.register(described(metric="roc_auc"))
    assert (verdict.rule, verdict.outputs["champion"]) == ("accepted", "2")
    assert "counts as none: roc_auc needs probabilities" in verdict.reason


def test_a_champion_that_is_not_to_be_compared_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=RIGHT, new=HALF), monkeypatch)
    registry.artifacts["MLmodel"] = b""
    monkeypatch.setattr(evidence, "_signature", lambda _content: "same")
    monkeypatch.setattr(evidence.download, "location", lambda *_: "mlflow-artifacts:/old")
    register.register(described(candidate="old"))
    verdict = register.register(described(versus_champion=None, at_least=None))
    assert (verdict.rule, registry.asked) == ("accepted", ["old", "new"])
    assert "the champion, version 1, is not compared, as the settings say" in verdict.reason


@pytest.mark.parametrize("who", ["old", "new"])
def test_what_is_the_machines_fails_the_run_and_judges_nothing(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=RIGHT, new=RIGHT), monkeypatch)
    register.register(described(candidate="old"))
    registry.answers[who] = MachineError("OSError: No space left on device")
    with pytest.raises(MachineError):
        register.register(described())
    assert registry.aliases == {"challenger": "1", "champion": "1"}


@pytest.mark.parametrize(
    ("answer", "metric", "rule", "words"),
    [
        (
            FaultError("no module named 'mine'"),
            "accuracy",
            "serving-image",
            "can't use the model: no module named 'mine'",
        ),
        (RIGHT, "log_loss", "finite", "log_loss needs probabilities, and the model gives none"),
    ],
)
def test_a_candidate_that_can_not_be_scored_is_refused_with_the_reason(
    answer: Any, metric: str, rule: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(old=RIGHT, new=answer), monkeypatch)
    register.register(described(candidate="old"))
    verdict = register.register(described(metric=metric, at_least=None))
    assert (verdict.rule, verdict.outputs, versions(registry)) == (rule, {"champion": "1"}, ["old"])
    assert words in verdict.reason


def test_a_candidate_of_a_forbidden_flavour_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    registry.flavours["new"] = "pyfunc"
    verdict = register.register(described(flavours=["sklearn"]))
    assert (verdict.rule, verdict.reason.partition(";")[0], registry.asked) == ("flavour", "it is code", [])


def test_a_model_over_again_is_no_failure_and_no_new_version(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=RIGHT, new=RIGHT), monkeypatch)
    register.register(described(candidate="old"))
    verdict = register.register(described())
    assert (verdict.accepted, verdict.rule, verdict.outputs) == (True, "same", {"champion": "1"})
    assert (versions(registry), registry.aliases) == (["old"], {"challenger": "1", "champion": "1"})


@pytest.mark.parametrize(("in_use", "stays"), [(None, "1"), ("1", "1"), ("2", "2")])
def test_a_model_with_more_versions_keeps_the_one_in_use(
    in_use: str | None, stays: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    for _ in range(3):
        registry.add("new", "sha256 of new")
    registry.aliases = {"champion": in_use} if in_use else {}
    assert register.register(described()).outputs["champion"] == stays
    assert len(registry.versions) == 3


@pytest.mark.parametrize("moment", ["set_tag", "log_figure", "set_registered_model_alias", "set_model_version_tag"])
def test_a_gate_that_is_killed_and_run_again_registers_nothing_twice(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)

    def killed(*_: str) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(registry, moment, killed)
        with pytest.raises(KeyboardInterrupt):
            register.register(described())
    verdict = register.register(described())
    assert (verdict.accepted, verdict.outputs, versions(registry)) == (True, {"version": "1", "champion": "1"}, ["new"])


def test_a_champion_keeps_the_judgement_that_made_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    first = register.register(described())
    assert register.register(described()) == first
    assert registry.asked == ["new"]


def test_a_model_that_was_champion_once_is_judged_beside_the_one_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    register.register(described(run="iris-gate-2"))
    verdict = register.register(described(candidate="old", at_least=None))
    assert (verdict.rule, verdict.outputs) == ("champion", {"version": "1", "champion": "2"})
    assert registry.aliases == {"challenger": "2", "champion": "2"}


def test_a_champion_that_is_judged_again_leaves_a_later_challenger_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", at_least=None))
    register.register(described(run="iris-gate-2", approval="manual"))
    for run in ("iris-gate-1", "iris-gate-3"):
        assert register.register(described(run, "old", at_least=None, approval="manual")).accepted
    assert registry.aliases == {"challenger": "2", "champion": "1"}


@pytest.mark.parametrize(("answers", "rule"), [(RIGHT, "accepted"), (HALF, "at_least")])
def test_under_other_rules_a_champion_is_judged_but_not_against_itself(
    answers: Any, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=answers), monkeypatch)
    register.register(described(at_least=None))
    verdict = register.register(described(run="iris-gate-2"))
    assert (verdict.rule, verdict.outputs["champion"], versions(registry)) == (rule, "1", ["new"])


def test_test_rows_that_somebody_replaced_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    registry.artifacts[f"test/{DIGEST}.csv"] = ROWS * 2
    with pytest.raises(RunError, match="is not what its name says"):
        register.register(described())


def test_a_run_of_somebody_else_is_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    registry.tags["new"].clear()
    with pytest.raises(RunError, match=r"has no tag ml-platform\.test\.sha256: no run of `runs` has made it"):
        register.register(described())


def test_a_metric_of_another_task_is_named_with_those_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Registry(new=RIGHT), monkeypatch)
    with pytest.raises(
        RunError, match="rmse, which judges a regression, and the candidate is a classification; take one"
    ):
        register.register(described(metric="rmse", at_least=None))


def test_a_metric_of_ones_own_lies_beside_the_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Registry(new=RIGHT), monkeypatch)
    text = "LESS_IS_BETTER = False\ndef score(target, answers): return (target == answers.labels).sum()\n"
    (tmp_path / "hits.py").write_text(text)
    verdict = register.register(described(metric="hits.py", at_least=30), tmp_path)
    assert (verdict.rule, verdict.numbers["hits"]) == ("accepted", 40.0)
    with pytest.raises(RunError, match=r"gate.at_most is 30; of hits.py more is better: name gate.at_least"):
        register.register(described(metric="hits.py", at_least=None, at_most=30), tmp_path)


def test_a_verdict_is_json_without_what_json_has_no_word_for() -> None:
    said = Verdict(run="r", accepted=True, rule="accepted", reason="", numbers={"a": 1.0, "b": float("nan")})
    assert json.loads(said.to_json())["numbers"] == {"a": 1.0}
