"""What the commands print: each step with its elapsed time and what it is waiting for.

On a terminal the running step's line is rewritten in place; elsewhere each change is a line of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
HEARTBEAT, QUIET = 20.0, 5.0
_lock = threading.Lock()
_began = time.monotonic()


@contextmanager
def step(title: str) -> Iterator[Say]:
    """Announce a step; the given function says what it is waiting for; its end prints the time it took."""
    started = time.monotonic()
    status = {"text": "", "shown": ""}
    over = threading.Event()

    def say(text: str) -> None:
        status["text"] = text

    def show() -> None:
        last = time.monotonic()
        while not over.wait(0.5):
            # A file or a pipe keeps every line, so it gets fewer.
            changed = status["text"] != status["shown"] and (sys.stdout.isatty() or time.monotonic() - last > QUIET)
            if changed or time.monotonic() - last > HEARTBEAT:
                status["shown"], last = status["text"], time.monotonic()
                _line(f"      {title}: {status['text'] or 'at work'} ({time.monotonic() - started:.0f} s)", brief=True)

    ticker = threading.Thread(target=show, daemon=True)
    ticker.start()
    try:
        yield say
    except BaseException:
        _line(f"  no  {title} ({time.monotonic() - started:.1f} s)")
        raise
    else:
        _line(f"  ok  {title} ({time.monotonic() - started:.1f} s)")
    finally:
        over.set()
        ticker.join()


def line(text: str = "") -> None:
    """Print one line as it is."""
    _line(text)


def elapsed() -> float:
    """Seconds since the command began."""
    return time.monotonic() - _began


def table(rows: dict[str, str]) -> None:
    """Print names and values in two columns."""
    width = max((len(name) for name in rows), default=0)
    for name, value in rows.items():
        _line(f"  {name.ljust(width)}  {value}")


def _line(text: str, *, brief: bool = False) -> None:
    """Print; a brief line is overwritten by the next one on a terminal."""
    with _lock:
        try:
            if sys.stdout.isatty():
                end = "\r" if brief else "\n"
                print(f"\r\033[K{text}", end=end, flush=True)
            else:
                print(text, flush=True)
        except BrokenPipeError:
            _end_unread()


def _end_unread() -> None:
    """Nobody reads any more, as behind `| head`: the command ends as one that is stopped, and says nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.kill(os.getpid(), signal.SIGTERM)
