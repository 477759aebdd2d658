"""A report as Markdown: the one comment of a change, and the issue about drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ml_policies.shapes.prices import written

from ml_ci.report import Change, Cost, Does, Report

HEAD = "stack | a change of | create | update | replace | delete | policies | a month at most"
COUNTED: tuple[Does, ...] = ("create", "update", "replace", "delete")
SHOWN = 60
"""Changes of a stack that are listed: a comment holds 65,536 characters, and the job's log has them all."""
LONGEST = 60_000


def comment(reports: Sequence[Report]) -> str:
    """Of all stacks together: a table, then each by itself."""
    rows = [f"| {HEAD} |", "|---|---|--:|--:|--:|--:|---|---|", *map(_row, reports)]
    parts = ["## Preview", "\n".join(rows), *(_section(each) for each in reports)]
    return _cut("\n\n".join(parts) if reports else "## Preview\n\nNo stack is touched.")


def drift(there: Report, due: Report) -> str:
    """What is there against the state, and the state against the program; a half without changes is left out."""
    stack = there.stack
    halves = (
        (
            f"What is there differs from what stack `{stack}` has declared (`pulumi refresh --preview-only`).",
            there.changes,
            f"`pulumi up --refresh --stack {stack}` brings it back to that; to keep it, declare it.",
        ),
        (
            f"What stack `{stack}` declares on this branch is not what was applied last (`pulumi preview`): its update "
            "was not approved, has failed, or there are new data.",
            due.changes,
            f"Approve its job, or run it again: `pulumi up --stack {stack} --policy-pack policies`.",
        ),
    )
    parts = (f"{intro}\n\n{_changes(changes)}\n\n{out}" for intro, changes, out in halves if changes)
    return _cut("\n\n".join(parts))


def _row(report: Report) -> str:
    counts = Counter(each.does for each in report.changes)
    levels = Counter(each.level for each in report.findings)
    unbroken = "not judged" if report.errors else "kept"
    verdict = ", ".join(f"{count} {level}" for level, count in sorted(levels.items(), reverse=True)) or unbroken
    cells = [
        _inline(report.stack),
        report.cause,
        *(str(counts[each]) for each in COUNTED),
        verdict,
        _step(report.before, report.after),
    ]
    if report.errors:
        cells[0] += " **failed**"
    return f"| {' | '.join(cells)} |"


def _section(report: Report) -> str:
    parts = [f"### {report.stack}"]
    parts += [f"```text\n{_fenced(each)}\n```" for each in report.errors]
    if report.findings:
        parts.append("\n".join(f"- **{each.policy}** ({each.level}): {_inline(each.text)}" for each in report.findings))
    if report.changes:
        parts.append(_folded(f"{len(report.changes)} changes", _changes(report.changes)))
    parts.append(_folded("Cost", "\n".join(_costs(report))))
    if report.policies:
        parts.append(_folded("Policies", f"```text\n{_fenced(report.policies)}\n```"))
    return "\n\n".join(parts)


def _changes(changes: Sequence[Change]) -> str:
    """A table of them."""
    rows = [
        f"| {each.does} | {_inline(each.resource)} | {', '.join(map(_inline, each.properties))} |"
        for each in changes[:SHOWN]
    ]
    more = [f"\nand {len(changes) - SHOWN} more: the job's log has them."] if len(changes) > SHOWN else []
    return "\n".join(["| | resource | what differs |\n|---|---|---|", *rows, *more])


def _costs(report: Report) -> Iterator[str]:
    yield "| | now | after it | |\n|---|--:|--:|--:|"
    yield _cost_row("the stack", report.before.stack, report.after.stack)
    for team in sorted({*report.before.teams, *report.after.teams}):
        yield _cost_row(f"of it: {_inline(team)}", report.before.teams.get(team, 0), report.after.teams.get(team, 0))


def _cost_row(name: str, before: float, after: float) -> str:
    return f"| {name} | {written(before)} | {written(after)} | {_difference(before, after)} |"


def _step(before: Cost, after: Cost) -> str:
    return f"{written(before.stack)} → {written(after.stack)} ({_difference(before.stack, after.stack)})"


def _difference(before: float, after: float) -> str:
    return f"{'+' if after >= before else '-'}{written(abs(after - before))}"


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _inline(text: str) -> str:
    """As code in one line, in a table too: names come from whoever wrote the change."""
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", "\\|") + "`"


def _fenced(text: str) -> str:
    return text.replace("```", "'''")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n\n…\n\nThe rest is in the jobs' logs."
