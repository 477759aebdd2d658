"""Requests to a served model while something else goes on, a few at once and so many a second; what came of each.

It owns no threshold: it counts who answered, and what did not.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

from ml_local.node.layout import LOOPBACK

WORKERS = 4
TIMEOUT = 30.0


class Load:
    """A context: requests go on from its begin to its end."""

    def __init__(self, url: str, body: dict[str, Any], rate: float) -> None:
        self._place, self._body = urlsplit(url), json.dumps(body)
        self._pause = WORKERS / rate
        self._end = threading.Event()
        self._workers = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(WORKERS)]
        self.versions: list[str] = []
        """The version of the model that gave each answer, in their order."""
        self.problems: list[str] = []
        """What each request said that was not answered by a model."""

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for worker in self._workers:
            worker.join()

    @property
    def count(self) -> int:
        return len(self.versions) + len(self.problems)

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Waits until then, at most so long; whether it has come."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def next(self, count: int) -> Counter[str]:
        """How many of the next `count` answers each version gives."""
        first = len(self.versions)
        self.until(lambda: len(self.versions) >= first + count or bool(self.problems), seconds=count * self._pause + 60)
        return Counter(self.versions[first : first + count])

    def _ask_on(self) -> None:
        connection = self._connection()
        while not self._end.is_set():
            started = time.monotonic()
            try:
                self.versions.append(self._ask(connection))
            except (OSError, http.client.HTTPException, ValueError, KeyError) as problem:
                self.problems.append(f"{type(problem).__name__}: {problem}")
                connection.close()
                connection = self._connection()
            self._end.wait(max(0.0, started + self._pause - time.monotonic()))
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> str:
        headers = {"Host": self._place.netloc, "Content-Type": "application/json"}
        connection.request("POST", self._place.path, body=self._body, headers=headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        if response.status != http.client.OK:
            raise ValueError(f"status {response.status}: {text[:200]}")
        return str(json.loads(text)["model_version"])

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(LOOPBACK, self._place.port or 80, timeout=TIMEOUT)
