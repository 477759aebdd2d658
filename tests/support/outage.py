"""Services and pods of the real node that go away, and come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ml_platform import pods
from ml_platform.configuration import Resources, amount
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


@contextmanager
def full_node(namespace: str = "default") -> Iterator[None]:
    """No pod that asks for a processor finds room, for as long as the context is open."""
    client = machine.client()
    (node,) = client.list("v1", "Node")
    stay = (
        pod
        for pod in client.list("v1", "Pod")
        if pod["status"].get("phase") not in ("Succeeded", "Failed") and "deletionTimestamp" not in pod["metadata"]
    )
    taken = sum(
        amount(each["resources"].get("requests", {}).get("cpu", "0"))
        for pod in stay
        for each in pod["spec"]["containers"]
    )
    left = int(1000 * (amount(node["status"]["allocatable"]["cpu"]) - taken)) - 5
    size = Resources(cpu=f"{left}m", memory="16Mi", cpu_limit="2", memory_limit="32Mi")
    filler = pods.container("filler", machine.images()["training"], size, command=["sleep", "600"])
    meta = {"name": "filler", "namespace": namespace}
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pods.pod("default", [filler])}
    client.create(item, field_manager="test")
    phase = partial(client.get, "v1", "Pod", "filler", namespace)
    until(lambda: phase()["status"].get("phase") == "Running", "the filler does not run")
    try:
        yield
    finally:
        kill_pod(item)


def kill_pod(pod: dict[str, Any]) -> None:
    """At once, without a word to it."""
    meta = pod["metadata"]
    client = machine.client()
    path = client.resource("v1", "Pod").path(meta["namespace"], meta["name"])
    client.request("DELETE", path, body={"gracePeriodSeconds": 0})
