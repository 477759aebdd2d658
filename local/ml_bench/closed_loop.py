"""One request again and again on a few connections that are kept open, each as soon as the last one is answered.

It takes little of a processor itself, so that on a small machine it measures who answers: one thread, one text that is
sent as it is, and of each answer only its status and its length are read.
"""

from __future__ import annotations

import re
import selectors
import socket
import statistics
import time
from dataclasses import dataclass, field

from ml_local.errors import LocalError

TIMEOUT = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Answers:
    """What came of one loop."""

    seconds: float
    milliseconds: list[float]
    """Of each answered request."""
    processor: float
    """Of one processor, the share that the loop took itself."""

    @property
    def a_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds that so many percent of the requests took at most."""
        return statistics.quantiles(self.milliseconds, n=100)[percent - 1]


@dataclass
class _Connection:
    stream: socket.socket
    sent: float = 0.0
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.answer.clear()
        self.sent = time.perf_counter()
        self.stream.sendall(request)

    def answered(self) -> bool:
        """Read what is there; whether it is a whole answer.

        Raises:
            LocalError: it is none with status 200, or has no length.
        """
        data = self.stream.recv(65536)
        if not data:
            raise LocalError(f"a connection was closed after {bytes(self.answer)!r}")
        self.answer += data
        end = self.answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self.answer, 0, end + 2)
        if length is None or not self.answer.startswith(b"HTTP/1.1 200"):
            raise LocalError(f"not an answer that can be counted: {bytes(self.answer[:500])!r}")
        return len(self.answer) >= end + 4 + int(length[1])


def ask(where: tuple[str, int], request: bytes, connections: int, seconds: float) -> Answers:
    """Ask for so long.

    Raises:
        LocalError: a request got another answer than status 200, or none in time.
    """
    open_ones = [_Connection(socket.create_connection(where, TIMEOUT)) for _ in range(connections)]
    with selectors.DefaultSelector() as ready:
        try:
            for each in open_ones:
                each.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.register(each.stream, selectors.EVENT_READ, each)
            return _loop(ready, open_ones, request, seconds)
        finally:
            for each in open_ones:
                each.stream.close()


def _loop(ready: selectors.BaseSelector, open_ones: list[_Connection], request: bytes, seconds: float) -> Answers:
    taken: list[float] = []
    busy, started = time.process_time(), time.perf_counter()
    for each in open_ones:
        each.send(request)
    left = len(open_ones)
    while left:
        events = ready.select(TIMEOUT)
        if not events:
            raise LocalError(f"no answer for {TIMEOUT:.0f} s")
        for key, _ in events:
            connection: _Connection = key.data
            if not connection.answered():
                continue
            now = time.perf_counter()
            taken.append(1000 * (now - connection.sent))
            if now - started < seconds:
                connection.send(request)
            else:
                left -= 1
    whole = time.perf_counter() - started
    return Answers(whole, taken, (time.process_time() - busy) / whole)
