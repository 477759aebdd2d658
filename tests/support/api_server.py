"""An API server of scripted answers, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CORE = {
    "resources": [
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": True},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False},
        {"name": "namespaces/status", "kind": "Namespace", "namespaced": False},
        {"name": "pods", "kind": "Pod", "namespaced": True},
    ]
}


class Server:
    """Answers by (method, path); records each request as (method, path, query, headers, body)."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Callable[[], tuple[int, Any]]] = {}
        self.headers: dict[str, str] = {}
        self.outage: list[int] = []
        """Statuses of the next answers, whatever is asked; 0 is a connection that breaks off."""
        self.requests: list[tuple[str, str, dict[str, str], dict[str, str], Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                url = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                server.requests.append((self.command, url.path, query, dict(self.headers), body))
                route = server.routes.get((self.command, url.path), lambda: (404, {}))
                status, answer = (server.outage.pop(0), {}) if server.outage else route()
                if status == 0:
                    self.close_connection = True
                    return
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for key, value in server.headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.on("GET", "/api/v1", CORE)

    def on(self, method: str, path: str, answer: Any, status: int = 200) -> None:
        self.routes[method, path] = lambda: (status, answer)

    @property
    def last(self) -> tuple[str, str, dict[str, str], dict[str, str], Any]:
        return self.requests[-1]


def kubeconfig(url: str) -> str:
    return json.dumps(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {"token": "t0ken"}}],
        }
    )


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
