"""Runs of the engine, through Pulumi's own Automation API: a preview and an update under the policies, and drift."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi import automation

from ml_ci import changes, official
from ml_ci.errors import CiError
from ml_ci.report import Events, Report, plain

POLICIES = "policies"


def preview(stack: str, root: Path = changes.ROOT) -> Report:
    """All that the stack's settings would change, judged by the policies. What fails is part of the report."""
    packs = [str(root / POLICIES)]
    return _heard(stack, lambda on_event: _stack(stack, root).preview(policy_packs=packs, on_event=on_event, **SHOWN))


def up(stack: str, message: str, root: Path = changes.ROOT) -> None:
    """
    Raises:
        CiError: it failed, or a policy refuses it.
    """
    packs = [str(root / POLICIES)]
    done = _heard(
        stack,
        lambda on_event: _stack(stack, root).up(message=message, policy_packs=packs, on_event=on_event, **SHOWN),
    )
    if done.errors:
        raise CiError(
            f"{done.errors[0]}\nMend it and run the job again: the update of {stack} goes on from where it is"
        )


def drift(stack: str, root: Path = changes.ROOT) -> Report:
    """How what is there differs from what the state says; neither is changed.

    Raises:
        CiError: it could not be found out.
    """
    found = _heard(stack, lambda on_event: _stack(stack, root).preview_refresh(on_event=on_event, **SHOWN))
    return _told(found, f"whether stack {stack} has drifted")


def due(stack: str, root: Path = changes.ROOT) -> Report:
    """What an update would change now: nothing, where the last one was made and has succeeded.

    Raises:
        CiError: it could not be found out.
    """
    found = _heard(stack, lambda on_event: _stack(stack, root).preview(on_event=on_event, **SHOWN))
    return _told(found, f"whether stack {stack} is what its settings say")


def _told(found: Report, what: str) -> Report:
    """The report of a run that has found out `what`.

    Raises:
        CiError: it has failed.
    """
    if found.errors:
        raise CiError(f"{what} can't be told: {found.errors[0]}")
    return found


def _show(text: str) -> None:
    sys.stdout.write(f"{text.rstrip()}\n")


SHOWN: dict[str, Any] = {"color": "never", "on_output": _show, "on_error": _show, "suppress_progress": True}
"""What a run says goes to the job's log."""


def _heard(stack: str, run: Callable[[Callable[[Any], None]], object]) -> Report:
    events = Events(stack)
    try:
        run(events)
    except (automation.CommandError, CiError) as error:
        return events.report(failure=plain(str(error)))
    return events.report()


def _stack(stack: str, root: Path) -> automation.Stack:
    options = automation.LocalWorkspaceOptions(pulumi_command=official.command())
    try:
        return automation.select_stack(stack, work_dir=str(root), opts=options)
    except automation.StackNotFoundError as error:
        backend = os.environ.get("PULUMI_BACKEND_URL", "Pulumi Cloud")
        raise CiError(f"stack {stack} is not in {backend}; make it once: pulumi stack init {stack}") from error
