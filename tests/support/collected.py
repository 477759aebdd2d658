"""A collector of requests in this process, and what it has put into the object store."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ml_runtime import collector, recorded
from ml_runtime.collector import Collector, Rules
from ml_runtime.places import Stored
from support.s3 import Store

PREFIX = Stored(bucket="datasets", key="requests/")
KEY = "a long random text"


def rules(**iris: Any) -> Rules:
    """Those of one service."""
    return collector.parse({"uri": str(PREFIX), "services": {"iris": iris}}, KEY)


@contextmanager
def running(known: Rules, port: int = 0) -> Iterator[Collector]:
    server = Collector(known, ("127.0.0.1", port))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def line(number: int, time: float, **request: Any) -> bytes:
    """A request as the recorder writes it."""
    values = {"request": {"length": [1.0], **request}, "answer": {"output-1": ["a"]}}
    return json.dumps({"id": f"id-{number}", "time": time, **values}).encode() + b"\n"


def rows(store: Store) -> list[dict[str, Any]]:
    """All that lie there, each with the key of its object as `key`."""
    return [
        {**row, "key": key}
        for key, content in sorted(store.objects.items())
        if key.endswith(".parquet")
        for row in recorded._rows(content)
    ]
