"""Waits for what comes by itself, with a deadline and the words to say when it does not come."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from ml_platform.kube import KubeError

T = TypeVar("T")
PAUSE = 0.1


def until(look: Callable[[], T], complaint: str, seconds: float = 60.0) -> T:
    """What `look` finds, as soon as that is something; an API server that does not answer has nothing to show.

    Raises:
        AssertionError: there is nothing in time; with `complaint`, and what went wrong last.
    """
    deadline = time.monotonic() + seconds
    problem: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except (KubeError, OSError) as error:
            problem = error
        time.sleep(PAUSE)
    raise AssertionError(f"{complaint} within {seconds:.0f} s{f': {problem}' if problem else ''}")


def while_running(process: subprocess.Popen[str], look: Callable[[], T], complaint: str, seconds: float = 300.0) -> T:
    """The same while a command runs, whose end is the end of waiting; a wait in vain ends the command."""

    def look_or_end() -> T:
        if not (found := look()) and process.poll() is not None:
            raise AssertionError(f"{complaint} before the command ended:\n{process.communicate()[0]}")
        return found

    try:
        return until(look_or_end, complaint, seconds)
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[str], patience: float = 60.0) -> None:
    """Ends a command that has a session of its own, and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
