"""What the API of Kubeflow Pipelines (v2beta1) has to start and show runs, in this process, as it is published."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

RUNS = "/apis/v2beta1/runs"


class Pipelines(ThreadingHTTPServer):
    """Runs in the order in which they were created."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.runs: list[dict[str, Any]] = []
        self.states = ["PENDING", "RUNNING", "SUCCEEDED"]
        """Those of a new run, each shown once and the last for ever."""
        self.ends: dict[str, Any] = {}
        """What an ended run says besides."""
        self.faults: list[int] = []
        """What becomes of the next requests that create: a status, or 0 for an answer that gets lost."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        self.runs.append({"run_id": f"id-{len(self.runs) + 1}", "left": [*self.states], **body})
        return self.shown(self.runs[-1])

    def shown(self, run: dict[str, Any]) -> dict[str, Any]:
        left: list[str] = run["left"]
        state = left.pop(0) if len(left) > 1 else left[0]
        ended = self.ends if state in ("FAILED", "CANCELED") else {}
        return {"run_id": run["run_id"], "display_name": run["display_name"], "state": state, **ended}


class _Answers(BaseHTTPRequestHandler):
    server: Pipelines

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == RUNS:
            query = parse_qs(url.query)
            (asked,) = json.loads(query["filter"][0])["predicates"]
            assert (asked["operation"], asked["key"], query["sort_by"]) == ("EQUALS", "name", ["created_at desc"])
            named = [each for each in reversed(self.server.runs) if each["display_name"] == asked["stringValue"]]
            self._send(200, {"runs": [self.server.shown(each) for each in named[: int(query["page_size"][0])]]})
            return
        found = [each for each in self.server.runs if url.path == f"{RUNS}/{each['run_id']}"]
        self._send(200, self.server.shown(found[0])) if found else self._send(404, {"error": "no such run"})

    def do_POST(self) -> None:
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault:
            self._send(fault, {"error": f"fault {fault}"})
            return
        made = self.server.create(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if fault == 0:
            self.close_connection = True
            return
        self._send(200, made)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Pipelines]:
    with Pipelines() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
