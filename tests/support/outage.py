"""Services and pods of the real node that go away, and come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from support import machine
from support.until import until


@contextmanager
def away(kind: str, name: str, namespace: str, seconds: float = 20) -> Iterator[None]:
    """A Deployment or StatefulSet without pods for that long; on leaving it is wanted again."""
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
    if replicas == 0:
        status = partial(client.get, "apps/v1", kind, name, namespace)
        until(lambda: not status()["status"].get("replicas"), f"{kind} {name} has not stopped")


def kill_pod(pod: dict[str, Any]) -> None:
    """At once, without a word to it."""
    meta = pod["metadata"]
    client = machine.client()
    path = client.resource("v1", "Pod").path(meta["namespace"], meta["name"])
    client.request("DELETE", path, body={"gracePeriodSeconds": 0})
