"""Where a change is talked about: GitHub or GitLab, whichever runs the job. Tokens come from the environment alone.

Whatever is said is said once: a hidden marker at its beginning finds it again, among what this job's own account wrote.
"""

from __future__ import annotations

import os
from typing import Protocol

from ml_ci.errors import CiError


class Forge(Protocol):
    def comment(self, marker: str, text: str) -> None:
        """The one comment of the change that the job is about, made or written anew."""

    def open_issue(self, marker: str, title: str, text: str) -> None:
        """The one issue about something, made or written anew."""

    def close_issue(self, marker: str) -> None:
        """That issue, if it is open."""

    def propose(self, branch: str, path: str, content: str, title: str) -> str:
        """A change request with that file's new content, made or written anew; its address."""


def here() -> Forge:
    """
    Raises:
        CiError: no CI runs this.
    """
    from ml_ci.github import GitHub
    from ml_ci.gitlab import GitLab

    if os.environ.get("GITHUB_ACTIONS") == "true":
        return GitHub.of_job()
    if os.environ.get("GITLAB_CI") == "true":
        return GitLab.of_job()
    raise CiError("neither GITHUB_ACTIONS nor GITLAB_CI is true: this command runs in a job of one of them")


def variable(name: str, what: str) -> str:
    """
    Raises:
        CiError: it is not set.
    """
    if value := os.environ.get(name):
        return value
    raise CiError(f"{name} is not set: {what}; docs/ci.md says where it comes from")


def hidden(marker: str) -> str:
    return f"<!-- ml-platform: {marker} -->"


def marked(marker: str, text: str) -> str:
    return f"{hidden(marker)}\n{text}"
