"""Requests on kept connections, against a server that answers as it is told."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ml_bench.closed_loop import ask
from ml_local.errors import LocalError

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@contextmanager
def server(*parts: bytes) -> Iterator[tuple[tuple[str, int], list[int]]]:
    """Its address, and the connections that it was asked on, one entry a request; each answer is sent in parts."""
    asked: list[int] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(65536):
                asked.append(id(self))
                for part in parts:
                    self.request.sendall(part)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield ("127.0.0.1", listening.socket.getsockname()[1]), asked
        listening.shutdown()


def test_each_connection_is_asked_again_and_again_and_each_answer_counts_once() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 4\r\n\r\nab", b"cd") as (where, asked):
        found = ask(where, REQUEST, connections=3, seconds=0.2)
    assert len(set(asked)) == 3
    assert len(found.milliseconds) == len(asked) > 3
    assert found.a_second == pytest.approx(len(asked) / found.seconds)
    assert found.percentile(50) <= found.percentile(99)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "503 Service Unavailable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunked"),
    ],
)
def test_an_answer_of_another_kind_is_shown(answer: bytes, says: str) -> None:
    with server(answer) as (where, _), pytest.raises(LocalError, match=says):
        ask(where, REQUEST, connections=1, seconds=0.2)
