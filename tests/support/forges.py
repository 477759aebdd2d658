"""GitHub and GitLab as far as CI's commands ask them: their REST APIs, in the shapes that they document, on loopback.

Both keep what is written in the same lists, so that one test is about both.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "a-token"
BASE = "main"
Answer = tuple[int, Any]
Route = Callable[..., Answer]


class Forge:
    """Comments of change 7, issues, files by branch, change requests."""

    header = ""
    variables: dict[str, str]

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.files: dict[tuple[str, str], str] = {}
        self.refuses = False
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else {}
                status, answer = forge.answer(self.command, self.path, self.headers.get(forge.header, ""), body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, target: str, token: str, body: dict[str, Any]) -> Answer:
        url = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if not token.endswith(TOKEN):
            return 401, {"message": "Unauthorized"}
        if self.refuses and method != "GET":
            return 403, {"message": "Resource not accessible by integration"}
        for (verb, pattern), route in self.routes().items():
            if verb == method and (found := re.fullmatch(pattern, unquote(url.path))):
                status, answer = route(*found.groups(), query=query, body=body)
                return status, _page(answer, query) if isinstance(answer, list) else answer
        return 404, {"message": f"no route for {method} {url.path}"}

    def routes(self) -> dict[tuple[str, str], Route]:
        raise NotImplementedError

    def written(self, text: str, *, by_us: bool = True) -> dict[str, Any]:
        """A comment, as this forge has it."""
        raise NotImplementedError


class GitHub(Forge):
    header = "Authorization"

    def __init__(self) -> None:
        super().__init__()
        self.variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": "acme/platform",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": TOKEN,
        }

    def written(self, text: str, *, by_us: bool = True) -> dict[str, Any]:
        return {"id": len(self.comments) + 1, "body": text, "user": {"type": "Bot" if by_us else "User"}}

    def routes(self) -> dict[tuple[str, str], Route]:
        repository = "/repos/acme/platform"
        return {
            ("GET", repository): lambda **_: (200, {"default_branch": BASE}),
            ("GET", f"{repository}/issues/7/comments"): lambda **_: (200, self.comments),
            ("POST", f"{repository}/issues/7/comments"): self._comment,
            ("PATCH", rf"{repository}/issues/comments/(\d+)"): self._edit,
            ("GET", f"{repository}/issues"): self._open,
            ("POST", f"{repository}/issues"): self._new_issue,
            ("PATCH", rf"{repository}/issues/(\d+)"): self._edit_issue,
            ("GET", rf"{repository}/git/ref/heads/{BASE}"): lambda **_: (200, {"object": {"sha": "0" * 40}}),
            ("GET", rf"{repository}/git/matching-refs/heads/(.+)"): self._refs,
            ("POST", rf"{repository}/git/refs"): lambda body, **_: self._branch(body["ref"].split("/", 2)[2]),
            ("PATCH", rf"{repository}/git/refs/heads/(.+)"): self._move,
            ("GET", rf"{repository}/contents/(.+)"): self._content,
            ("PUT", rf"{repository}/contents/(.+)"): self._put,
            ("GET", f"{repository}/pulls"): self._pulls,
            ("POST", f"{repository}/pulls"): self._pull,
        }

    def _comment(self, *, body: dict[str, Any], **_: Any) -> Answer:
        self.comments.append(self.written(body["body"]))
        return 201, self.comments[-1]

    def _edit(self, number: str, *, body: dict[str, Any], **_: Any) -> Answer:
        self.comments[int(number) - 1] |= body
        return 200, self.comments[int(number) - 1]

    def _open(self, **_: Any) -> Answer:
        pull = {"number": 7, "body": None, "user": {"type": "Bot"}, "pull_request": {}}
        return 200, [pull, *(each for each in self.issues if each["state"] == "open")]

    def _new_issue(self, *, body: dict[str, Any], **_: Any) -> Answer:
        self.issues.append({"number": len(self.issues) + 1, "state": "open", "user": {"type": "Bot"}, **body})
        return 201, self.issues[-1]

    def _edit_issue(self, number: str, *, body: dict[str, Any], **_: Any) -> Answer:
        self.issues[int(number) - 1] |= body
        return 200, self.issues[int(number) - 1]

    def _refs(self, name: str, **_: Any) -> Answer:
        return 200, [{"ref": f"refs/heads/{branch}"} for branch, _ in self.files if branch.startswith(name)]

    def _move(self, name: str, **_: Any) -> Answer:
        there = any(branch == name for branch, _ in self.files)
        return self._branch(name) if there else (422, {"message": "Reference does not exist"})

    def _branch(self, name: str) -> Answer:
        self.files |= {(name, path): text for (branch, path), text in list(self.files.items()) if branch == BASE}
        return 201, {}

    def _content(self, path: str, *, query: dict[str, str], **_: Any) -> Answer:
        return (200, {"sha": _sha(text)}) if (text := self.files.get((query["ref"], path))) else (404, {})

    def _put(self, path: str, *, body: dict[str, Any], **_: Any) -> Answer:
        if body["sha"] != _sha(self.files[body["branch"], path]):
            return 409, {"message": "does not match"}
        self.files[body["branch"], path] = b64decode(body["content"]).decode()
        return 200, {}

    def _pulls(self, *, query: dict[str, str], **_: Any) -> Answer:
        return 200, [each for each in self.requests if f"acme:{each['head']}" == query["head"]]

    def _pull(self, *, body: dict[str, Any], **_: Any) -> Answer:
        self.requests.append({**body, "html_url": f"{self.url}/pull/{len(self.requests) + 8}"})
        return 201, self.requests[-1]


class GitLab(Forge):
    header = "PRIVATE-TOKEN"
    us = 42

    def __init__(self) -> None:
        super().__init__()
        self.variables = {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "5",
            "CI_DEFAULT_BRANCH": BASE,
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        }

    def written(self, text: str, *, by_us: bool = True) -> dict[str, Any]:
        return {"id": len(self.comments) + 1, "body": text, "author": {"id": self.us if by_us else 1}}

    def routes(self) -> dict[tuple[str, str], Route]:
        notes, issues, requests = (
            f"/projects/5/{name}" for name in ("merge_requests/7/notes", "issues", "merge_requests")
        )
        return {
            ("GET", "/user"): lambda **_: (200, {"id": self.us}),
            ("GET", notes): lambda **_: (200, self.comments),
            ("POST", notes): self._note,
            ("PUT", rf"{notes}/(\d+)"): self._edit,
            ("GET", issues): lambda **_: (200, [each for each in self.issues if each["state"] == "open"]),
            ("POST", issues): self._new_issue,
            ("PUT", rf"{issues}/(\d+)"): self._edit_issue,
            ("POST", "/projects/5/repository/commits"): self._commit,
            ("GET", requests): self._merge_requests,
            ("POST", requests): self._merge_request,
        }

    def _note(self, *, body: dict[str, Any], **_: Any) -> Answer:
        self.comments.append(self.written(body["body"]))
        return 201, self.comments[-1]

    def _edit(self, number: str, *, body: dict[str, Any], **_: Any) -> Answer:
        self.comments[int(number) - 1] |= body
        return 200, self.comments[int(number) - 1]

    def _new_issue(self, *, body: dict[str, Any], **_: Any) -> Answer:
        new = {"iid": len(self.issues) + 1, "state": "open", "author": {"id": self.us}, **body}
        self.issues.append(new)
        return 201, new

    def _edit_issue(self, number: str, *, body: dict[str, Any], **_: Any) -> Answer:
        state = {"state": "closed"} if body.get("state_event") == "close" else {}
        self.issues[int(number) - 1] |= {**body, **state}
        return 200, self.issues[int(number) - 1]

    def _commit(self, *, body: dict[str, Any], **_: Any) -> Answer:
        for each in body["actions"]:
            if (body["start_branch"], each["file_path"]) not in self.files:
                return 400, {"message": "A file with this name doesn't exist"}
            self.files[body["branch"], each["file_path"]] = each["content"]
        return 201, {}

    def _merge_requests(self, *, query: dict[str, str], **_: Any) -> Answer:
        return 200, [each for each in self.requests if each["source_branch"] == query["source_branch"]]

    def _merge_request(self, *, body: dict[str, Any], **_: Any) -> Answer:
        self.requests.append({**body, "web_url": f"{self.url}/merge_requests/{len(self.requests) + 8}"})
        return 201, self.requests[-1]


def _page(items: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = int(query["per_page"]), int(query["page"])
    return items[(page - 1) * size : page * size]


def _sha(text: str) -> str:
    return f"sha of {len(text)} characters"
