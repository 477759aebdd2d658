"""What the pods of a run say of themselves, as the Kubernetes API shows them: why they can't start, and how they ended.

Whether a run has ended is said by its own object, and is no business of this module.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml_platform.configuration import PROJECT
from ml_platform.kube import Object

STUCK = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "ErrImagePull", "ImagePullBackOff", "InvalidImageName"}
)
ABSENT_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" not found')
"""What the scheduler says of a pod whose volume nobody has asked for."""
UNSTARTED = frozenset({"StartError", "ContainerCannotRun"})
"""How the runtimes of containers call the end of one whose program is not there."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A container that ended with another code than 0."""

    container: str
    code: int
    reason: str
    message: str

    @property
    def last_words(self) -> str:
        """What its program has left as its message, if it has begun."""
        return "" if self.reason in UNSTARTED else self.message

    def __str__(self) -> str:
        if self.reason in UNSTARTED:
            return f"its pod can't start: {self.reason}: {self.message}"
        said = "" if self.reason in ("", "Error") else f" ({self.reason})"
        return f"its container {self.container} ended with code {self.code}{said}"


def stuck(pods: Sequence[Object]) -> str | None:
    """Why one of them can't start, if that is so."""
    for each in (status for pod in pods for status in _containers(pod)):
        waiting = each.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in STUCK:
            return f"{waiting['reason']}: {waiting.get('message', '')}"
    return None


def unplaced(pods: Sequence[Object]) -> str | None:
    """What the scheduler says of one that no node takes."""
    for each in (found for pod in pods for found in pod.get("status", {}).get("conditions") or []):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return str(each.get("message", ""))
    return None


def without_claim(pods: Sequence[Object]) -> str | None:
    """Which PersistentVolumeClaim one of them waits for that is not there, and how it is made."""
    if found := ABSENT_CLAIM.search(unplaced(pods) or ""):
        claim = found[1]
        return (
            f"there is no PersistentVolumeClaim {claim!r} in its namespace. Have it made with:\n"
            f"  pulumi config set --path '{PROJECT}:workloads.claims.{claim}.size' 1Gi\nor name another one"
        )
    return None


def failure(pods: Sequence[Object]) -> Failure | None:
    """Of the last of them in which a container failed; of several containers, the first."""
    for each in (status for pod in reversed(pods) for status in _containers(pod)):
        ended = each.get("state", {}).get("terminated") or {}
        if ended.get("exitCode"):
            return Failure(
                container=each["name"],
                code=ended["exitCode"],
                reason=ended.get("reason") or "",
                message=(ended.get("message") or "").strip(),
            )
    return None


def _containers(pod: Object) -> Iterator[Object]:
    """In the order in which they start."""
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()
