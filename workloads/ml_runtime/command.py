"""How every command here ends: 0, or 1 with the reason as the last lines of the log and as the container's message.

Kubernetes shows /dev/termination-log as the message of a container that ended, and cuts it at 4096 bytes.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ml_runtime.errors import RunError

TERMINATION_LOG = Path("/dev/termination-log")
MESSAGE_BYTES = 4000


def finish(work: Callable[[], None]) -> int:
    """Do the work; the exit code. A user's error is a message, anything else a traceback."""
    try:
        work()
    except RunError as error:
        return _failed(f"error: {error}")
    except Exception:
        return _failed(traceback.format_exc().rstrip())
    return 0


def _failed(text: str) -> int:
    print(text, file=sys.stderr, flush=True)
    with suppress(OSError):
        TERMINATION_LOG.write_bytes(text.encode()[-MESSAGE_BYTES:])
    return 1
