"""The commands that CI calls: `local/bootstrap ml_ci COMMAND`. docs/ci.md says when."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from ml_ci import changes, data, forge, login, markdown, runs
from ml_ci.errors import CiError
from ml_ci.report import Report

Arguments = argparse.Namespace
LOST = "Its job has ended without a report: the job's log says why."
FORGED = "Its job has left what is no report of `ml_ci preview`:"


def main() -> int:
    arguments = _parser().parse_args()
    try:
        if "stack" in arguments:
            changes.check(arguments.stack)
        return COMMANDS[arguments.command](arguments)
    except CiError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def preview(arguments: Arguments) -> int:
    """preview a stack under the policies, and write a report of it"""
    report = runs.preview(arguments.stack).model_copy(update={"cause": _cause(arguments)})
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.write_text(report.model_dump_json())
    return 1 if report.errors else 0


def comment(arguments: Arguments) -> int:
    """say what the reports say, in one comment on the change; a stack without a report has failed"""
    reports = {stack: _report(arguments.reports, stack, cause) for stack, cause in _changed(arguments).items()}
    forge.here().comment("preview", markdown.comment([reports[stack] for stack in sorted(reports)]))
    return 0


def up(arguments: Arguments) -> int:
    """bring a stack to what its settings say, under the policies"""
    runs.up(arguments.stack, message=f"A change of {_cause(arguments)} since {arguments.since[:12]}")
    return 0


def drift(arguments: Arguments) -> int:
    """look for drift of a stack, and for an update that is due; there is one issue as long as there is either"""
    there, due = runs.drift(arguments.stack), runs.due(arguments.stack)
    marker = f"drift of {arguments.stack}"
    if there.changes or due.changes:
        what = "has drifted" if there.changes else "waits for an update"
        forge.here().open_issue(marker, f"Stack {arguments.stack} {what}", markdown.drift(there, due))
    else:
        forge.here().close_issue(marker)
    return 0


def changed(arguments: Arguments) -> int:
    """print the stacks that a change touches, or all of them, as JSON"""
    found = _changed(arguments) if arguments.since else changes.stacks()
    sys.stdout.write(f"stacks={json.dumps(list(found))}\n")
    return 0


def new_data(arguments: Arguments) -> int:
    """propose another place for data of a stack, as a change request"""
    stack, name, uri = arguments.stack, arguments.data, arguments.uri
    text = data.edited(stack, name, uri)
    branch, title = f"data-{stack}-{name}", f"Data of {stack}: {name} is {uri}"
    sys.stdout.write(f"{forge.here().propose(branch, changes.own(stack)[0], text, title)}\n")
    return 0


def log_in(_: Arguments) -> int:
    """put a GitLab job's identity tokens where the clouds' tools look"""
    sys.stdout.write(f"logged in to: {', '.join(login.log_in()) or 'no cloud'}\n")
    return 0


COMMANDS: Mapping[str, Callable[[Arguments], int]] = {
    "preview": preview,
    "comment": comment,
    "up": up,
    "drift": drift,
    "changed": changed,
    "data": new_data,
    "login": log_in,
}


def _report(folder: Path, stack: str, cause: changes.Cause) -> Report:
    """That of a job, which ran the change's own code: of its words none is believed that CI knows by itself."""
    path = folder / f"{stack}.json"
    if not path.exists():
        return Report(stack=stack, cause=cause, errors=(LOST,))
    try:
        found = Report.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        return Report(stack=stack, cause=cause, errors=(f"{FORGED}\n{error}",))
    return found.model_copy(update={"stack": stack, "cause": cause})


def _changed(arguments: Arguments) -> Mapping[str, changes.Cause]:
    return changes.changed(arguments.since)


def _cause(arguments: Arguments) -> str:
    return _changed(arguments).get(arguments.stack, "nothing")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ml_ci", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    of = {name: commands.add_parser(name, help=run.__doc__) for name, run in COMMANDS.items()}
    for name in ("preview", "up", "drift", "data"):
        of[name].add_argument("--stack", required=True)
    of["preview"].add_argument("--report", required=True, type=Path, help="the file to write")
    of["comment"].add_argument("reports", type=Path, help="the folder of the reports")
    for name in ("preview", "comment", "up"):
        of[name].add_argument("--since", required=True, help="the commit that was there before")
    of["changed"].add_argument("--since", help="the commit that was there before; without it, all stacks are meant")
    of["data"].add_argument("--data", required=True, help="its block of `data`")
    of["data"].add_argument("--uri", required=True, help="where the new data are: s3://<bucket>/<key>")
    return parser


if __name__ == "__main__":
    sys.exit(main())
