"""GitLab's REST API, as far as a job of its CI needs it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ml_ci.errors import CiError
from ml_ci.forge import hidden, marked, variable
from ml_ci.rest import Api


@dataclass(frozen=True)
class GitLab:
    api: Api
    project: str
    """The path of the project."""
    branch: str
    """Its default branch."""

    @classmethod
    def of_job(cls) -> GitLab:
        token = variable(
            "GITLAB_TOKEN", "an access token of the project with the scope api, since a job's own may not write"
        )
        project = f"/projects/{variable('CI_PROJECT_ID', 'the project')}"
        api = Api(variable("CI_API_V4_URL", "the API"), {"PRIVATE-TOKEN": token})
        return cls(api, project, variable("CI_DEFAULT_BRANCH", "the default branch"))

    def comment(self, marker: str, text: str) -> None:
        number = os.environ.get("CI_MERGE_REQUEST_IID")
        if not number:
            raise CiError("CI_MERGE_REQUEST_IID is not set: only a job of a merge request has something to comment on")
        path = f"{self.project}/merge_requests/{number}/notes"
        if old := self._own(self.api.pages(path), "body", marker):
            self.api.call("PUT", f"{path}/{old['id']}", {"body": marked(marker, text)})
        else:
            self.api.call("POST", path, {"body": marked(marker, text)})

    def open_issue(self, marker: str, title: str, text: str) -> None:
        content = {"title": title, "description": marked(marker, text)}
        if old := self._issue(marker):
            self.api.call("PUT", f"{self.project}/issues/{old['iid']}", content)
        else:
            self.api.call("POST", f"{self.project}/issues", content)

    def close_issue(self, marker: str) -> None:
        if old := self._issue(marker):
            self.api.call("PUT", f"{self.project}/issues/{old['iid']}", {"state_event": "close"})

    def propose(self, branch: str, path: str, content: str, title: str) -> str:
        update = {"action": "update", "file_path": path, "content": content}
        commit = {"branch": branch, "start_branch": self.branch, "force": True, "commit_message": title}
        self.api.call("POST", f"{self.project}/repository/commits", {**commit, "actions": [update]})
        requests = f"{self.project}/merge_requests"
        found = list(self.api.pages(requests, state="opened", source_branch=branch))
        request = {"source_branch": branch, "target_branch": self.branch, "title": title, "remove_source_branch": True}
        return str((found[0] if found else self.api.call("POST", requests, request))["web_url"])

    def _issue(self, marker: str) -> dict[str, Any] | None:
        return self._own(self.api.pages(f"{self.project}/issues", state="opened"), "description", marker)

    def _own(self, written: Iterable[dict[str, Any]], field: str, marker: str) -> dict[str, Any] | None:
        me = self.api.call("GET", "/user")["id"]
        for each in written:
            if each["author"]["id"] == me and (each[field] or "").startswith(hidden(marker)):
                return each
        return None
