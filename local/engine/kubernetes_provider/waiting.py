"""Waiting for an object: until it is ready, or until it is gone. Bounded, cancellable, and it says for what."""

import threading
import time
from collections.abc import Callable
from typing import Any

from ml_platform.kube import Client, KubeError, NotFound

from kubernetes_provider import report
from kubernetes_provider.rules import Readiness, Rule

Object = dict[str, Any]

DEFAULT_SECONDS = 600.0
TICK_SECONDS = 1.0
LOOK_AT_PODS_SECONDS = 5.0

_NAMESPACE_REMAINS = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")


class Incomplete(Exception):  # noqa: N818
    """The object is there but not as wanted: its last reading, and the reasons that could be found."""

    def __init__(self, message: str, live: Object, reasons: list[str]) -> None:
        super().__init__(message)
        self.live = live
        self.reasons = [message, *reasons]

    def __str__(self) -> str:
        return "\n".join(self.reasons)


class Waiter:
    """Waits of one call; `say` shows what is waited for, and an empty message clears it."""

    def __init__(
        self, client: Client, cancelled: threading.Event, say: Callable[[str], None], seconds: float | None
    ) -> None:
        self._client = client
        self._cancelled = cancelled
        self._say = say
        self._told = ""
        self._seconds = seconds or DEFAULT_SECONDS
        self._end = time.monotonic() + self._seconds

    def until_ready(self, live: Object, rule: Rule) -> Object:
        troubles: list[str] = []
        looked = time.monotonic()
        while not (answer := self._ask(live, rule)).done:
            if answer.failed:
                raise self._incomplete(f"{name(live)} failed: {answer.message}", live)
            if time.monotonic() - looked > LOOK_AT_PODS_SECONDS:
                troubles = report.troubles(report.pods_of(self._client, live))
                looked = time.monotonic()
            self._tell("; ".join([answer.message, *troubles[:1]]))
            self._check_time(f"{name(live)} is not ready: {answer.message}", live)
            live = self._next(live)
        self._tell("")
        return live

    def until_gone(self, live: Object) -> None:
        metadata = live["metadata"]
        while True:
            self._tell(_leaving(live))
            self._check_time(f"{name(live)} is not gone: {_leaving(live)}", live)
            try:
                live = self._next(live)
            except Incomplete:
                break
            if live["metadata"].get("uid") != metadata.get("uid"):
                break
        self._tell("")

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._say(text)

    def _ask(self, live: Object, rule: Rule) -> Readiness:
        try:
            return rule(live, self._client)
        except KubeError as error:
            return Readiness(False, error.message)

    def _next(self, live: Object) -> Object:
        """The next state of the object, or the same after a moment: what belongs to it may have changed."""
        metadata = live["metadata"]
        where = {"name": metadata["name"], "namespace": metadata.get("namespace")}
        version = metadata.get("resourceVersion")
        try:
            for event, obj in self._client.watch(
                live["apiVersion"], live["kind"], resource_version=version, timeout=TICK_SECONDS, **where
            ):
                if event == "DELETED":
                    raise Incomplete(f"{name(live)} was deleted", live, [])
                return obj
            return self._client.get(live["apiVersion"], live["kind"], metadata["name"], where["namespace"])
        except NotFound:
            raise Incomplete(f"{name(live)} was deleted", live, []) from None
        except KubeError as error:
            self._tell(error.message)
            self._cancelled.wait(TICK_SECONDS)
            return live

    def _check_time(self, message: str, live: Object) -> None:
        if self._cancelled.is_set():
            raise Incomplete(f"{message} (cancelled)", live, [])
        if time.monotonic() > self._end:
            raise self._incomplete(f"{message} (after {self._seconds:.0f} s)", live)

    def _incomplete(self, message: str, live: Object) -> Incomplete:
        return Incomplete(message, live, report.reasons(self._client, live))


def name(obj: Object) -> str:
    metadata = obj["metadata"]
    namespace = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj['kind']} {namespace}{metadata['name']}"


def _leaving(live: Object) -> str:
    """What holds a deletion up, as far as the object says it."""
    for entry in (live.get("status") or {}).get("conditions") or []:
        if entry.get("status") == "True" and entry.get("type") in _NAMESPACE_REMAINS:
            return str(entry.get("message"))
    finalizers = [each for each in live["metadata"].get("finalizers") or [] if each != "foregroundDeletion"]
    if finalizers and live["metadata"].get("deletionTimestamp"):
        return f"waiting for finalizers {', '.join(finalizers)}"
    return "waiting until it is gone"
