"""Lines that wait on a disk until somebody has taken them: they are lost neither by an end of this process nor by one
of whoever takes them.

It owns the files of the folder, in batches with a name each. A batch is given away again under its name until it is
taken, so whoever takes one twice has it once. What is more than the room is let go and counted: a server answers on.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

BATCH, LONGEST = 2**20, 4 * 2**20
"""Bytes after which a batch is closed, and those that one line may have."""
ROOM = 192 * 2**20
"""Bytes of all batches that wait."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
CLOSED, OPEN = ".jsonl", ".open"
TOLD_EVERY = 60.0
"""Seconds between two words about the same loss."""
logger = logging.getLogger(__name__)

Give = Callable[[str, bytes], None]
"""Gives away the batch of this name and content; RefusedError if it is never taken, any other error if it may be."""


class RefusedError(Exception):
    """The batch is not taken, however often it is given."""


class Spool:
    """The batches of one process, and those that one before it has left in the folder."""

    def __init__(self, folder: Path, give: Give, *, every: float, room: int = ROOM) -> None:
        """`every` is the number of seconds after which lines are given away, if they are fewer than a batch has."""
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"*{OPEN}"):
            left.rename(left.with_suffix(CLOSED))
        self._folder, self._give, self._every, self._room = folder, give, every, room
        self._held = sum(each.stat().st_size for each in self._waiting())
        self._process, self._number = uuid.uuid4().hex, 0
        self._file: BinaryIO | None = None
        self._lock, self._closing, self._wake = threading.Lock(), threading.Event(), threading.Event()
        self._told = -TOLD_EVERY
        self.lost = 0
        """Lines that were let go."""
        self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
        self._thread.start()

    def add(self, line: bytes) -> None:
        """Keep a line, which ends as lines do. It never fails."""
        with self._lock:
            if len(line) > LONGEST or self._held + len(line) > self._room:
                self._lose(1, f"{self._held:,} bytes wait of {self._room:,}, and this line has {len(line):,}")
                return
            try:
                file = self._opened()
                file.write(line)
                if file.tell() >= BATCH:
                    self._close_batch()
                    self._wake.set()
            except OSError as full:
                self._lose(1, str(full))
                return
            self._held += len(line)

    def close(self, seconds: float) -> None:
        """Give away what is there, for so long at most; what is left waits for the next process."""
        self._closing.set()
        self._wake.set()
        self._thread.join(seconds)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._number += 1
            path = self._folder / f"{self._process}-{self._number:08}{OPEN}"
            self._file = path.open("ab", buffering=0)  # what was written is there whatever becomes of this process
        return self._file

    def _close_batch(self) -> None:
        if self._file is not None:
            path = Path(self._file.name)
            self._file.close()
            self._file = None
            path.rename(path.with_suffix(CLOSED))

    def _waiting(self) -> list[Path]:
        """The oldest first."""
        return sorted(self._folder.glob(f"*{CLOSED}"), key=lambda each: (each.stat().st_mtime_ns, each.name))

    def _work(self) -> None:
        while True:
            self._wake.wait(self._every)
            self._wake.clear()
            closing = self._closing.is_set()
            with self._lock:
                self._close_batch()
            for each in self._waiting():
                self._give_away(each)
            if closing:
                return

    def _give_away(self, path: Path) -> None:
        """Until it is taken."""
        content, pause = path.read_bytes(), FIRST_PAUSE
        while True:
            try:
                self._give(path.stem, content)
            except RefusedError as refused:
                self._lose(content.count(b"\n"), str(refused))
            except Exception as away:  # whatever it is, the lines stay
                self._tell(f"{len(self._waiting())} batches of requests wait: {away}")
                if self._closing.wait(pause):
                    time.sleep(FIRST_PAUSE)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            path.unlink()
            with self._lock:
                self._held -= len(content)
            return

    def _lose(self, lines: int, why: str) -> None:
        self.lost += lines
        self._tell(f"{self.lost:,} requests are not kept: {why}")

    def _tell(self, said: str) -> None:
        if time.monotonic() - self._told >= TOLD_EVERY:
            self._told = time.monotonic()
            logger.warning(said)
