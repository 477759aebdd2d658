"""Services and pods of the real node that go away, and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support import machine


@contextmanager
def away(kind: str, name: str, namespace: str, seconds: float = 20) -> Iterator[None]:
    """A Deployment or StatefulSet without pods for that long; on leaving it is back."""
    scale(kind, name, namespace, 0)
    back = threading.Timer(seconds, scale, (kind, name, namespace, 1))
    back.start()
    try:
        yield
    finally:
        back.join()


def scale(kind: str, name: str, namespace: str, replicas: int) -> None:
    """With no replicas, returns when they are gone."""
    client = machine.client()
    client.patch("apps/v1", kind, name, namespace, {"spec": {"replicas": replicas}})
    deadline = time.monotonic() + 60
    while replicas == 0 and client.get("apps/v1", kind, name, namespace)["status"].get("replicas"):
        assert time.monotonic() < deadline, f"{kind} {name} does not stop"
        time.sleep(0.5)


def kill_pod(pod: dict[str, Any]) -> None:
    """At once, without a word to it."""
    meta = pod["metadata"]
    client = machine.client()
    path = client.resource("v1", "Pod").path(meta["namespace"], meta["name"])
    client.request("DELETE", path, body={"gracePeriodSeconds": 0})
