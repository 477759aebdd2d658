"""GitHub's REST API, as far as a job of Actions needs it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ml_ci.errors import CiError
from ml_ci.forge import hidden, marked, variable
from ml_ci.rest import Api


@dataclass(frozen=True)
class GitHub:
    api: Api
    """Of the repository."""
    owner: str
    ref: str

    @classmethod
    def of_job(cls) -> GitHub:
        repository = variable("GITHUB_REPOSITORY", "the repository, owner/name")
        token = variable("GITHUB_TOKEN", "the job's token")
        url = f"{variable('GITHUB_API_URL', 'the API')}/repos/{repository}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        return cls(Api(url, headers), repository.partition("/")[0], variable("GITHUB_REF", "what the job runs on"))

    def comment(self, marker: str, text: str) -> None:
        number = re.fullmatch(r"refs/pull/(\d+)/merge", self.ref)
        if not number:
            raise CiError(f"GITHUB_REF is {self.ref}: only a job of a pull request has something to comment on")
        path = f"/issues/{number[1]}/comments"
        if old := _own(self.api.pages(path), marker):
            self.api.call("PATCH", f"/issues/comments/{old['id']}", {"body": marked(marker, text)})
        else:
            self.api.call("POST", path, {"body": marked(marker, text)})

    def open_issue(self, marker: str, title: str, text: str) -> None:
        content = {"title": title, "body": marked(marker, text)}
        if old := self._issue(marker):
            self.api.call("PATCH", f"/issues/{old['number']}", content)
        else:
            self.api.call("POST", "/issues", content)

    def close_issue(self, marker: str) -> None:
        if old := self._issue(marker):
            self.api.call("PATCH", f"/issues/{old['number']}", {"state": "closed", "state_reason": "completed"})

    def propose(self, branch: str, path: str, content: str, title: str) -> str:
        base = self.api.call("GET", "")["default_branch"]
        start = self.api.call("GET", f"/git/ref/heads/{base}")["object"]["sha"]
        alike = self.api.pages(f"/git/matching-refs/heads/{branch}")  # those that begin so
        if any(each["ref"] == f"refs/heads/{branch}" for each in alike):
            self.api.call("PATCH", f"/git/refs/heads/{branch}", {"sha": start, "force": True})
        else:
            self.api.call("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": start})
        old = self.api.call("GET", f"/contents/{path}", ref=branch)["sha"]
        text = b64encode(content.encode()).decode()
        self.api.call("PUT", f"/contents/{path}", {"message": title, "content": text, "sha": old, "branch": branch})
        found = list(self.api.pages("/pulls", state="open", head=f"{self.owner}:{branch}"))
        request = {"title": title, "head": branch, "base": base}
        return str((found[0] if found else self.api.call("POST", "/pulls", request))["html_url"])

    def _issue(self, marker: str) -> dict[str, Any] | None:
        return _own((each for each in self.api.pages("/issues", state="open") if "pull_request" not in each), marker)


def _own(written: Iterable[dict[str, Any]], marker: str) -> dict[str, Any] | None:
    """What a job's token writes is a bot's."""
    for each in written:
        if each["user"]["type"] == "Bot" and (each["body"] or "").startswith(hidden(marker)):
            return each
    return None
