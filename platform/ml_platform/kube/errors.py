"""The errors that the API server answers with in the place of an object."""

import json
from typing import Any


class KubeError(Exception):
    """A refused request: HTTP status, the server's reason and message, and its details."""

    def __init__(self, status: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def passes(self) -> bool:
        """Whether the error may pass by itself: no answer, too many requests, or a server that can't answer now."""
        return self.status in (0, 429) or self.status >= 500


class NotFound(KubeError):  # noqa: N818 - the names are the API's reasons
    """The object or its path does not exist."""


class NoMatch(NotFound):
    """The cluster serves no such kind: its CRD is not installed (yet)."""


class Conflict(KubeError):  # noqa: N818
    """Another writer holds the object or owns one of the fields."""


class AlreadyExists(Conflict):
    """An object of this name exists already."""


class Unreachable(KubeError):  # noqa: N818
    """No answer at all: the server is away, or its address or certificate is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


_BY_REASON: dict[str, type[KubeError]] = {
    "NotFound": NotFound,
    "AlreadyExists": AlreadyExists,
    "Conflict": Conflict,
}


def from_response(status: int, body: bytes, request: str) -> KubeError:
    """The error for a response; `request` ("GET /path") is in the message if the server gives none."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        text = body.decode(errors="replace").strip()[:500]
        answer = {"message": f"{request}: HTTP {status}" + (f": {text}" if text else "")}
    reason = str(answer.get("reason") or {404: "NotFound", 401: "Unauthorized"}.get(status, "Unknown"))
    kind = _BY_REASON.get(reason, KubeError)
    return kind(status, reason, str(answer.get("message") or reason), answer.get("details"))
