"""Takes the requests of served models in batches, and puts each into the object store before it says so.

    PUT /<service>/<version>/<batch>      lines of JSON as ml_runtime.recorder writes them; a batch that comes twice
                                          replaces itself
    GET /health

Its settings are a JSON file, mounted from a ConfigMap:

    {"uri": "s3://datasets/requests/",
     "services": {"iris": {"drop": ["name"],        columns that are not kept
                           "hash": ["customer"],    columns of which a keyed hash is kept, so that equal ones are equal
                           "keep": 30}}}            days

The key of the hashes is the variable ML_REQUESTS_KEY. It holds no state: what it has not put away, the sender keeps. A
time that can't be, in the future or before the first day that is kept, becomes that of the arrival.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ml_runtime import recorded, store
from ml_runtime.errors import AwayError, RunError, SpecError
from ml_runtime.places import Stored, stored
from ml_runtime.recorded import Part
from ml_runtime.schema import written
from ml_runtime.spec import Block, read

PATH = Path("/etc/ml-platform/collector.json")
KEY = "ML_REQUESTS_KEY"
PORT = 8080
LARGEST = 8 * 2**20
"""Bytes of a batch."""
AT_ONCE = 2
"""Batches that are in memory at a time."""
PATIENCE = 20.0
"""Seconds that a batch waits for the object store; its sender tries again."""
AHEAD = timedelta(minutes=5)
"""A time may be so far in the future: clocks differ."""
SWEEP = 3600.0
"""Seconds from one look for days that are over to the next."""
BATCH = re.compile(r"/([a-z][-a-z0-9]*)/([A-Za-z0-9][A-Za-z0-9._-]*)/([A-Za-z0-9-]+)")


class NoBatchError(RunError):
    """What was sent is never taken, however often it comes."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What is kept of one served model."""

    drop: frozenset[str] = frozenset()
    hash: frozenset[str] = frozenset()
    keep: int = 30


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is kept of all, and where."""

    uri: Stored
    services: Mapping[str, Service]
    key: bytes = b""

    def kept(self, service: str, values: Mapping[str, Any]) -> str:
        """The columns that are kept, as JSON."""
        rules = self.services[service]
        return json.dumps(
            {
                name: self._hashed(found) if name in rules.hash else found
                for name, found in values.items()
                if name not in rules.drop
            }
        )

    def _hashed(self, found: Any) -> list[str | None]:
        return [None if each is None else self._hash(each) for each in (found if isinstance(found, list) else [found])]

    def _hash(self, value: Any) -> str:
        return hmac.new(self.key, written(value).encode(), hashlib.sha256).hexdigest()[:32]


def parse(raw: Any, key: str) -> Rules:
    """Check the settings against the contract above; unknown keys are refused.

    Raises:
        SpecError: naming the key, its value and what is allowed.
    """
    top = Block("", raw, ("uri", "services"))
    named, services = top.take("services"), {}
    blocks = top.inner("services", named)
    for name in named:
        block = blocks.inner(name, ("drop", "hash", "keep"))
        drop, hashed = (
            frozenset(block.check(each, lambda v: isinstance(v, list), "a list of columns", []))
            for each in ("drop", "hash")
        )
        keep = block.check("keep", lambda v: isinstance(v, int) and v > 0, "days, above 0", 30)
        services[name] = Service(drop=drop, hash=hashed, keep=keep)
        if hashed and not key:
            raise SpecError(f"services.{name}.hash names columns, and the variable {KEY} has no key for their hashes")
    return Rules(uri=stored(top.text("uri"), "uri"), services=services, key=key.encode())


def put(rules: Rules, path: str, content: bytes, now: datetime) -> int:
    """Put a batch into the object store, an object for each day; how many rows it has.

    Raises:
        NoBatchError: it is none.
        RunError: its service has no requests kept, as long as these settings hold; or no right to the object store.
        AwayError: the object store is away.
    """
    found = BATCH.fullmatch(path)
    if found is None:
        raise NoBatchError(f"{path} is no /<service>/<version>/<batch>")
    service, version, batch = found.groups()
    if service not in rules.services:
        raise RunError(f"requests of {service} are not kept; those of {', '.join(rules.services) or 'none'} are")
    days: dict[date, list[dict[str, Any]]] = {}
    for row in _rows(rules, service, content, now):
        days.setdefault(row["time"].date(), []).append(row)
    for day, rows in days.items():
        part = Part(service=service, version=version, day=day, batch=batch)
        store.write(part.below(rules.uri), recorded.to_parquet(rows), PATIENCE)
    return sum(map(len, days.values()))


def _rows(rules: Rules, service: str, content: bytes, now: datetime) -> Iterator[dict[str, Any]]:
    """Those of all lines; one that its writer's end has cut off is none."""
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            given = json.loads(line)
            row = {"id": str(given["id"]), "time": _time(given["time"], now, rules.services[service].keep)}
            if "good" in given:
                row |= {"good": bool(given["good"]), "comment": str(given["comment"])}
            else:
                row |= {name: rules.kept(service, given[name]) for name in ("request", "answer")}
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            raise NoBatchError(f"line {number} is no request: {broken!r}: {line[:100]!r}") from broken
        yield row


def _time(seconds: Any, now: datetime, keep: int) -> datetime:
    """The time, if it can be that of a request."""
    number = float(seconds)
    try:
        found = datetime.fromtimestamp(number, UTC)
    except (OverflowError, OSError, ValueError):
        return now
    return found if recorded.oldest(keep, now) <= found.date() and found <= now + AHEAD else now


def sweep(rules: Rules, now: datetime) -> int:
    """Remove the days that are over, by this clock and by that of the object store; how many objects went."""
    removed = 0
    for service, each in rules.services.items():
        first = recorded.oldest(each.keep, min(now, store.clock(rules.uri, PATIENCE)))
        for _, place in recorded.parts(rules.uri, service, PATIENCE, lambda day, first=first: day < first):  # type: ignore[misc]
            store.remove(place, PATIENCE)
            removed += 1
    return removed


class Collector(ThreadingHTTPServer):
    """The server."""

    daemon_threads = True

    def __init__(self, rules: Rules, address: tuple[str, int]) -> None:
        super().__init__(address, _Answers)
        self.rules, self.room = rules, threading.Semaphore(AT_ONCE)


class _Answers(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._answer(200, "well") if self.path == "/health" else self._answer(404, f"{self.path} is not /health")

    def do_PUT(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        if size > LARGEST:
            for start in range(0, size, LARGEST):  # read, so that the answer is
                self.rfile.read(min(LARGEST, size - start))
            self._answer(413, f"the batch has {size:,} bytes, and {LARGEST:,} are taken")
            return
        with self.server.room:
            self._answer(*self._put(self.rfile.read(size)))

    def _put(self, content: bytes) -> tuple[int, str]:
        try:
            rows = put(self.server.rules, self.path, content, datetime.now(UTC))
        except NoBatchError as wrong:
            return 400, str(wrong)
        except (AwayError, RunError) as later:
            return 503, str(later)
        return 200, f"{rows} rows"

    def _answer(self, code: int, said: str) -> None:
        content = f"{said}\n".encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if code != 200:
            super().log_request(code, size)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.collector", description=__doc__)
    parser.add_argument("--settings", type=Path, default=PATH, help=f"default: {PATH}")
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}")
    options = parser.parse_args()
    rules = parse(read(options.settings), os.environ.get(KEY, ""))
    server = Collector(rules, ("0.0.0.0", options.port))  # noqa: S104 - of its pod; a NetworkPolicy says who connects
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    threading.Thread(target=_sweep_again, args=(rules,), daemon=True).start()
    server.serve_forever()
    return 0


def _sweep_again(rules: Rules) -> None:
    over = threading.Event()
    while True:
        try:
            print(f"{sweep(rules, datetime.now(UTC))} objects of days that are over were removed", flush=True)
        except (RunError, AwayError) as later:
            print(f"days that are over were not removed: {later}", file=sys.stderr, flush=True)
        over.wait(SWEEP)


if __name__ == "__main__":
    sys.exit(main())
