"""What stands between who asks and a model: the same requests through the gateway, to Knative's queue in front of the
model server, and straight to the model server.

The ways take turns, so that what else goes on meanwhile burdens all of them, and each turn has ratios of its own.
"""

from __future__ import annotations

import json
import statistics
from typing import Any
from urllib.parse import urlsplit

from ml_local.errors import LocalError
from ml_local.node import node
from ml_local.node.layout import LOOPBACK, Layout
from ml_local.predict import example, served
from ml_platform.kube import Object
from ml_platform.labels import SERVICE

from ml_bench.closed_loop import Answers, ask

TURNS, SECONDS, WARM_UP = 5, 4.0, 2.0
SERVER, QUEUE = 8080, 8012


def compare(layout: Layout, connections: int) -> dict[str, Any]:
    """Requests a second and milliseconds of each way, and the gateway's against those of the model server.

    Raises:
        LocalError: not one model is served by one pod, or a request was not answered by it.
    """
    (model,) = served(layout)
    place = urlsplit(model.url)
    pod = _pod(layout, model.name)
    address = pod["status"]["podIP"]
    ways = {"gateway": (LOOPBACK, place.port or 80), "straight": (address, SERVER)}
    if any(container["name"] == "queue-proxy" for container in pod["spec"]["containers"]):
        ways["queue"] = (address, QUEUE)
    body = json.dumps(model.body(example())).encode()
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    turns: dict[str, list[Answers]] = {way: [] for way in ways}
    for where in ways.values():
        ask(where, request, connections, WARM_UP)
    for _ in range(TURNS):
        for way, where in ways.items():
            turns[way].append(ask(where, request, connections, SECONDS))
    return {**{way: _figures(taken) for way, taken in turns.items()}, **_against(turns["gateway"], turns["straight"])}


def _pod(layout: Layout, service: str) -> Object:
    labels = f"{SERVICE}={service}"
    found = node.client(layout).list("v1", "Pod", "models", labels=labels)
    running = [
        pod for pod in found if pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    ]
    if len(running) != 1:
        raise LocalError(f"the ways to one pod are compared; {service} has {len(running)} that run")
    return running[0]


def _figures(turns: list[Answers]) -> dict[str, Any]:
    """Of each turn: its requests a second, its slow ones, and what of a processor the asking took itself."""
    return {
        "a_second": [round(turn.a_second, 1) for turn in turns],
        "p50_ms": [round(turn.percentile(50), 2) for turn in turns],
        "p99_ms": [round(turn.percentile(99), 2) for turn in turns],
        "own_processor_percent": [round(100 * turn.processor) for turn in turns],
    }


def _against(gateway: list[Answers], straight: list[Answers]) -> dict[str, float]:
    pairs = list(zip(gateway, straight, strict=True))
    return {
        "throughput_ratio": round(statistics.median(one.a_second / other.a_second for one, other in pairs), 3),
        "p50_more_ms": round(statistics.median(one.percentile(50) - other.percentile(50) for one, other in pairs), 2),
        "p99_more_ms": round(statistics.median(one.percentile(99) - other.percentile(99) for one, other in pairs), 2),
    }
