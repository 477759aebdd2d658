"""The processes that the host starts: each in a group of its own, so that it ends with all that it started."""

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from typing import IO

GRACE_SECONDS = 3.0


class Processes:
    """What runs now. `stop` ends all of it; whoever waits for one sees its exit code."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.stopped = False

    def start(
        self, command: list[str], *, folder: str, environment: dict[str, str], piped: bool
    ) -> subprocess.Popen[bytes]:
        """`piped` keeps stdout and stderr for `stream`; else they are the host's own."""
        output = subprocess.PIPE if piped else None
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,  # the engine interrupts the host's group; the host decides what that means here
        )
        with self._lock:
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def stop(self) -> None:
        self.stopped = True
        with self._lock:
            running = list(self._running)
        for process in running:
            self.end(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def stream(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """("stdout" | "stderr", bytes) as they come, until both are closed."""
    chunks: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def pump(name: str, pipe: IO[bytes]) -> None:
        while data := os.read(pipe.fileno(), 65536):
            chunks.put((name, data))
        chunks.put((name, b""))

    open_pipes = {"stdout": process.stdout, "stderr": process.stderr}
    for name, pipe in open_pipes.items():
        if pipe is not None:
            threading.Thread(target=pump, args=(name, pipe), daemon=True).start()
    left = len(open_pipes)
    while left:
        name, data = chunks.get()
        if data:
            yield name, data
        else:
            left -= 1


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
