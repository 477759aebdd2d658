"""CI's other commands: the release that is checked, new data, logins, and the text of a comment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_ci import __main__ as commands
from ml_ci import changes, markdown, runs
from ml_ci.report import Change, Cost, Events, Finding, Report
from ml_policies.engine import environments
from support import forges

REPORT = Report(
    stack="gke",
    cause="code",
    changes=(
        Change(does="create", resource="Deployment models/web"),
        Change(does="update", resource="ConfigMap models/a`|b", properties=("data.x", "data.y")),
    ),
    findings=(Finding(policy="bounded-retries", level="mandatory", text="Job models/load: it is tried again 6 times"),),
    policies="3 resources, 37 policies, 0 values unknown, 0 findings exempt",
    before=Cost(stack=100, teams={"red": 40}),
    after=Cost(stack=80, teams={"blue": 30}),
    errors=("A mandatory policy refuses it.",),
)


def test_a_comment_has_each_stacks_changes_findings_and_cost() -> None:
    text = markdown.comment([REPORT, Report(stack="eks")])
    assert "| `gke` **failed** | code | 1 | 1 | 0 | 0 | 1 mandatory | 100 EUR → 80 EUR (-20 EUR) |" in text
    assert "| `eks` |  | 0 | 0 | 0 | 0 | kept | 0 EUR → 0 EUR (+0 EUR) |" in text
    assert "- **bounded-retries** (mandatory): `Job models/load: it is tried again 6 times`" in text
    assert "| of it: `red` | 40 EUR | 0 EUR | -40 EUR |" in text
    assert "| of it: `blue` | 0 EUR | 30 EUR | +30 EUR |" in text
    assert "37 policies" in text


def test_names_can_not_break_out_of_a_comment() -> None:
    assert "| update | `ConfigMap models/a'\\|b` | `data.x`, `data.y` |" in markdown.comment([REPORT])


@pytest.mark.parametrize(
    "forged",
    [
        {"stack": "gke` | code | 0 | 0 | 0 | 0 | kept | +0 EUR |\n| `eks"},
        {"cause": "code | 0"},
        {"findings": [{"policy": "a**\n\n| x |", "level": "mandatory", "text": ""}]},
        {"findings": [{"policy": "a", "level": "kept) [x](http://x", "text": ""}]},
        {"changes": [{"does": "create | ", "resource": "a"}]},
        {"cost": "none"},
    ],
    ids=lambda forged: next(iter(forged)),
)
def test_what_a_change_forges_is_no_report(
    forged: dict[str, Any], world: forges.GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gke.json").write_text(json.dumps({**json.loads(Report(stack="gke").model_dump_json()), **forged}))
    assert run(monkeypatch, "comment", str(tmp_path), "--since", "main") == 0
    (only,) = world.comments
    assert "| `gke` **failed** | platform | 0 | 0 | 0 | 0 | not judged |" in only["body"]
    assert "what is no report of `ml_ci preview`" in only["body"]


def test_a_report_says_neither_whose_it_is_nor_why(
    world: forges.GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gke.json").write_text(Report(stack="eks", cause="data").model_dump_json())
    (tmp_path / "aks.json").write_text(Report(stack="aks").model_dump_json())
    assert run(monkeypatch, "comment", str(tmp_path), "--since", "main") == 0
    (only,) = world.comments
    assert "| `gke` | platform |" in only["body"]
    assert "| `eks` **failed** | code |" in only["body"]
    assert "aks" not in only["body"]


DRIFTED = (Change(does="update", resource="ConfigMap models/a"),)


@pytest.mark.parametrize(
    ("there", "due", "title", "says"),
    [
        (DRIFTED, (), "Stack gke has drifted", ["What is there differs"]),
        ((), DRIFTED, "Stack gke waits for an update", ["is not what was applied last"]),
        (DRIFTED, DRIFTED, "Stack gke has drifted", ["What is there differs", "is not what was applied last"]),
    ],
)
def test_drift_and_an_update_that_is_due_are_one_issue_until_neither_is(
    there: tuple[Change, ...],
    due: tuple[Change, ...],
    title: str,
    says: list[str],
    world: forges.GitHub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "drift", lambda stack: Report(stack=stack, changes=there))
    monkeypatch.setattr(runs, "due", lambda stack: Report(stack=stack, changes=due))
    assert run(monkeypatch, "drift", "--stack", "gke") == 0
    (only,) = world.issues
    assert only["title"] == title
    assert [text for text in ("What is there differs", "is not what was applied last") if text in only["body"]] == says
    for command in ("drift", "due"):
        monkeypatch.setattr(runs, command, lambda stack: Report(stack=stack))
    assert run(monkeypatch, "drift", "--stack", "gke") == 0
    assert [each["state"] for each in world.issues] == ["closed"]


def test_a_comment_of_thousands_of_changes_fits() -> None:
    many = tuple(Change(does="create", resource=f"ConfigMap models/{number:04}") for number in range(3000))
    text = markdown.comment([Report(stack=name, changes=many, errors=("x" * 9000,)) for name in "abcdefgh"])
    assert len(text) < 65_000
    assert "and 2940 more" in text
    assert text.endswith("The rest is in the jobs' logs.")


def test_a_change_that_touches_no_stack_says_so() -> None:
    assert "No stack is touched." in markdown.comment([])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[forges.GitHub]:
    """On GitHub, in a job about a change of EKS and GKE."""
    running = forges.GitHub()
    for name, value in running.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(changes, "changed", lambda since: {"gke": "platform", "eks": "code"} if since == "main" else {})
    yield running
    running.close()


def test_the_reports_of_all_jobs_become_one_comment(
    world: forges.GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gke", "eks"):
        (tmp_path / f"{name}.json").write_text(Report(stack=name).model_dump_json())
    assert run(monkeypatch, "comment", str(tmp_path), "--since", "main") == 0
    assert run(monkeypatch, "comment", str(tmp_path), "--since", "main") == 0
    (only,) = world.comments
    assert only["body"].index("### eks") < only["body"].index("### gke")
    assert "failed" not in only["body"]


def test_a_job_that_left_no_report_is_told_as_failed(
    world: forges.GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gke.json").write_text(Report(stack="gke", cause="platform").model_dump_json())
    assert run(monkeypatch, "comment", str(tmp_path), "--since", "main") == 0
    (only,) = world.comments
    assert "| `eks` **failed** | code | 0 | 0 | 0 | 0 | not judged |" in only["body"]
    assert "Its job has ended without a report: the job's log says why." in only["body"]
    assert "| `gke` | platform |" in only["body"]


@pytest.mark.parametrize("text", ["[monthly-cost", "[monthly-cost]\nbudget = 3", "monthly-cost = 3"])
def test_settings_that_the_pack_refuses_leave_a_report(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gke.toml").write_text(text)
    load = environments.load
    monkeypatch.setattr(environments, "load", lambda stack: load(stack, tmp_path))
    assert Events("gke").report(failure="the pack says why").errors == ("the pack says why",)


def test_all_stacks_are_printed_as_github_reads_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "changed") == 0
    name, _, value = capsys.readouterr().out.partition("=")
    assert (name, json.loads(value)) == ("stacks", changes.stacks())


def test_a_mistake_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "drift", "--stack", "aks") == 1
    assert capsys.readouterr().err.startswith("error: --stack 'aks' has no stack file; there are ")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["ml_ci", *words])
    return commands.main()
