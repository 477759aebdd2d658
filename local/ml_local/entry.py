"""How a command of a user begins and ends: what interrupts it, and what is said of its errors."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable
from types import FrameType

from ml_local import console
from ml_local.errors import LocalError

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
KEPT = "what was done so far is kept, and the next `make up` goes on from there"


def run(work: Callable[[], object], kept: str = KEPT) -> int:
    """Do the work; 0 if it did, 1 with a message if not, 130 after Ctrl-C, with what is `kept`."""
    signal.signal(signal.SIGTERM, _interrupt)
    _end_with_parent()
    try:
        work()
    except LocalError as error:
        console.line(f"\nerror: {error}")
        return 1
    except KeyboardInterrupt:
        console.line(f"\nstopped; {kept}")
        return 130
    return 0


def _end_with_parent() -> None:
    """Be told when `make` dies without a word, as after `kill -9`: nobody is left to show the work to.

    Linux alone tells."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
