"""One command at a time on this machine, and no orphan of a killed one.

The lock is the kernel's: it is gone with the process that held it. All that a command starts lies in one control group,
so that the next command can end what a killed one left.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ml_local import paths
from ml_local.errors import LocalError
from ml_local.node import cgroup


@contextmanager
def exclusive(command: str) -> Iterator[None]:
    """Hold the lock for the time of the block.

    Raises:
        LocalError: another command holds it; the message says which, since when, and how to go on.
    """
    path = paths.cache() / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            stream.seek(0)
            raise LocalError(
                f"another command is at work: {stream.read().strip() or 'unknown'}. Wait for it, or stop it with "
                "Ctrl-C or `kill PID`; what it has done so far is kept, and the next `make up` goes on from there."
            ) from held
        stream.truncate(0)
        stream.write(f"`{command}`, pid {os.getpid()}, since {time.strftime('%H:%M:%S')}")
        stream.flush()
        cgroup.end(cgroup.processes(cgroup.COMMANDS), grace=2.0)
        cgroup.create(cgroup.COMMANDS)
        with cgroup.inside(cgroup.COMMANDS):
            yield
        cgroup.remove(cgroup.COMMANDS)
        stream.truncate(0)
