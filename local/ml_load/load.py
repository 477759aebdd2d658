"""Requests to a served model, by so many clients or so many a second, and what came of each.

It owns no threshold and draws nothing: it asks, and keeps who answered when, and what did not.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from ml_local.connection import Connection
from ml_local.errors import LocalError

CLIENTS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request."""

    due: float
    """Seconds from the begin of the load to when it was to be sent."""
    seconds: float
    """From then to the end of the answer: where a rate is given, the wait for a client that is free counts."""
    version: str = ""
    """Of the model that answered, as its server says."""
    problem: str = ""
    """Why it was not answered; empty where it was."""


class Load:
    """A context: requests go on from its begin to its end.

    Each of `clients` keeps one connection and has one request on its way. With `rate`, requests are due at so many a
    second, whether those before are answered or not, as long as a client is free; without, each client asks again as
    soon as it is answered.
    """

    def __init__(
        self,
        url: str,
        body: dict[str, Any],
        rate: float | None = None,
        *,
        clients: int = CLIENTS,
        authority: str | None = None,
    ) -> None:
        self._url, self._authority, self._rate = url, authority, rate
        self._body = json.dumps(body).encode()
        self._tickets, self._began = itertools.count(), 0.0
        self._end = threading.Event()
        self._workers = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(clients)]
        self.outcomes: list[Outcome] = []
        """In the order in which they came."""

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for worker in self._workers:
            worker.join()

    @property
    def count(self) -> int:
        return len(self.outcomes)

    @property
    def versions(self) -> list[str]:
        """The version of the model that gave each answer, in their order."""
        return [each.version for each in self.outcomes if not each.problem]

    @property
    def problems(self) -> list[str]:
        """What each request said that was not answered by a model."""
        return [each.problem for each in self.outcomes if each.problem]

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Waits until then, at most so long; whether it has come."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def next(self, count: int) -> Counter[str]:
        """How many of the next `count` answers each version gives; fewer where one has a problem, or takes too long."""
        first, patience = len(self.versions), count / (self._rate or 1.0) + 60
        self.until(lambda: len(self.versions) >= first + count or bool(self.problems), patience)
        return Counter(self.versions[first : first + count])

    def _ask_on(self) -> None:
        connection = Connection(self._url, self._authority)
        while not self._end.is_set():
            due = time.monotonic()
            if self._rate:
                due = self._began + next(self._tickets) / self._rate
                if self._end.wait(max(0.0, due - time.monotonic())):
                    break
            self.outcomes.append(self._ask(connection, due))
        connection.close()

    def _ask(self, connection: Connection, due: float) -> Outcome:
        version = problem = ""
        try:
            status, text = connection.send("POST", self._body)
            if status == http.client.OK:
                version = str(json.loads(text).get("model_version") or "")
            else:
                problem = f"status {status}: {text[:200].decode(errors='replace')}"
        except (LocalError, ValueError, AttributeError) as wrong:
            problem = f"{type(wrong).__name__}: {wrong}"
        return Outcome(due - self._began, time.monotonic() - due, version, problem)
