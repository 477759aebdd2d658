"""Secrets in files and in the whole history, by gitleaks. What is none is named in .gitleaks.toml."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_local import toolchains
from ml_local.command import run
from ml_local.errors import LocalError

FOUND = 3
"""gitleaks' status for findings, set apart from its own failures."""
ACCEPTED = ".gitleaks.toml"
STAGED = "--staged"


def scan(checkout: Path, since: str | None = None) -> list[str]:
    """Each finding: where it is, since which commit, and by which rule; never the secret.

    Committed, staged and changed files are looked into, and those that git does not know yet. What is no secret is read
    from .gitleaks.toml as it is there, or as the commit `since` has it: then no change accepts its own secrets.

    Raises:
        LocalError: the history is not whole, there is no such commit, or the scan failed.
    """
    if run(["git", "rev-parse", "--is-shallow-repository"], cwd=checkout).stdout.strip() == "true":
        raise LocalError(
            f"{checkout} has a part of its history only, and the rest would go unseen. Fetch it with "
            "`git fetch --unshallow`; in CI, check out with fetch-depth 0"
        )
    with _accepted(checkout, since) as config, _all_files(checkout) as index:
        found = {
            *_scan(checkout, config),
            *_scan(checkout, config, STAGED),
            *_scan(checkout, config, STAGED, env=index),
        }
    return sorted(found)


@contextmanager
def _accepted(checkout: Path, since: str | None) -> Iterator[list[str]]:
    """gitleaks' option for the file that says what is no secret; none where it is the checkout's own."""
    if since is None:
        yield []
        return
    with TemporaryDirectory(prefix="ml-supply-") as folder:
        file = Path(folder) / "gitleaks.toml"
        hint = f"{since} must be a commit of {checkout} that has {ACCEPTED}."
        file.write_text(run(["git", "show", f"{since}:{ACCEPTED}"], cwd=checkout, hint=hint).stdout)
        yield ["--config", str(file)]


@contextmanager
def _all_files(checkout: Path) -> Iterator[dict[str, str]]:
    """Git's variables for an index in which every file is staged that git does not ignore. The repository's own index
    and objects stay as they are."""
    folders = run(["git", "rev-parse", "--git-path", "index", "--git-path", "objects"], cwd=checkout).stdout
    index, objects = ((checkout / each).resolve() for each in folders.split("\n")[:2])
    with TemporaryDirectory(prefix="ml-supply-") as folder:
        (Path(folder) / "objects").mkdir()
        others = filter(None, [str(objects), os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")])
        variables = {
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": f"{folder}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(others),
        }
        if index.exists():
            shutil.copy(index, variables["GIT_INDEX_FILE"])
        run(["git", "add", "--all", "."], cwd=checkout, env=variables)
        yield variables


def _scan(checkout: Path, config: list[str], *options: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    # A comment in the code silences nothing: what is no secret is named in one place.
    words = (_gitleaks(), "git", "--no-banner", "--no-color", "--log-level", "error", "--ignore-gitleaks-allow")
    report = ("--exit-code", str(FOUND), "--redact", "--report-format", "json", "--report-path", "-")
    done = run([*words, *report, *config, *options, checkout], check=False, env=env)
    if done.returncode not in (0, FOUND):
        raise LocalError(f"gitleaks could not read {checkout}:\n{done.stderr.strip()}")
    for each in json.loads(done.stdout or "[]"):
        since = f", since commit {each['Commit'][:12]}" if each["Commit"] else ", not committed yet"
        yield f"{each['File']}:{each['StartLine']}: {each['RuleID']}{since}"


def _gitleaks() -> Path:
    for toolchain in toolchains.needed(["gitleaks"]):
        if "gitleaks" in toolchain.commands:
            toolchains.build(toolchain)
    return toolchains.binary("gitleaks")
