"""What the failures of a run say of their cause, each once, at the very end of its output.

A fixture that fails fails all its tests with the same words, and a CI shows the last lines alone. So the output of a
command, which is long, is cut down to what it complains of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

ERROR = re.compile(r"^\W*(error|Error|ERROR)\b|\*\*failed\*\*|\bfailed:", re.MULTILINE)
LINES = 8
"""So many of the first and of the last lines of a complaint are shown, or of an output that has none."""


def of(reports: Iterable[pytest.TestReport]) -> dict[str, list[str]]:
    """The tests that failed, by what they failed at."""
    found: dict[str, list[str]] = {}
    for report in reports:
        found.setdefault(_complaints(_message(report.longrepr)), []).append(report.nodeid)
    return found


def _message(longrepr: Any) -> str:
    crash = getattr(longrepr, "reprcrash", None)
    return str(crash.message if crash else longrepr)


def _complaints(message: str) -> str:
    """The paragraphs of a message that complain, else its end."""
    paragraphs = [each.strip("\n") for each in re.split(r"\n\s*\n", message)]
    loud = [each for each in paragraphs if ERROR.search(each)]
    return "\n".join(_short(each) for each in loud or [message.strip()])


def _short(text: str) -> str:
    lines = text.splitlines()
    return text if len(lines) <= 2 * LINES else "\n".join([*lines[:LINES], "...", *lines[-LINES:]])
