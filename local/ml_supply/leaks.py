"""Secrets in files and in the whole history, by gitleaks. What is none is named in .gitleaks.toml."""

from __future__ import annotations

import json
from pathlib import Path

from ml_local import toolchains
from ml_local.command import run
from ml_local.errors import LocalError

FOUND = 3
"""gitleaks' status for findings, set apart from its own failures."""
SCANS = ((), ("--pre-commit",), ("--staged",))
"""What is committed, what is changed, and what is about to be committed."""


def scan(checkout: Path) -> list[str]:
    """Each finding: where it is, since which commit, and by which rule; never the secret.

    Raises:
        LocalError: the history is not whole, or the scan failed.
    """
    if run(["git", "rev-parse", "--is-shallow-repository"], cwd=checkout).stdout.strip() == "true":
        raise LocalError(
            f"{checkout} has a part of its history only, and the rest would go unseen. Fetch it with "
            "`git fetch --unshallow`; in CI, check out with fetch-depth 0"
        )
    return sorted({finding for options in SCANS for finding in _scan(checkout, *options)})


def _scan(checkout: Path, *options: str) -> list[str]:
    report = ("--redact", "--report-format", "json", "--report-path", "-")
    words = (_gitleaks(), "git", "--no-banner", "--no-color", "--log-level", "error", "--exit-code", str(FOUND))
    done = run([*words, *report, *options, checkout], check=False)
    if done.returncode not in (0, FOUND):
        raise LocalError(f"gitleaks could not read {checkout}:\n{done.stderr.strip()}")
    return [
        f"{each['File']}:{each['StartLine']}: {each['RuleID']}"
        + (f", since commit {each['Commit'][:12]}" if each["Commit"] else ", not committed yet")
        for each in json.loads(done.stdout or "[]")
    ]


def _gitleaks() -> Path:
    for toolchain in toolchains.needed(["gitleaks"]):
        if "gitleaks" in toolchain.commands:
            toolchains.build(toolchain)
    return toolchains.binary("gitleaks")
