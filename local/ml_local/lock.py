"""One command at a time on this machine, one build at a time in a cache, and no orphan of a killed one.

The locks are the kernel's: they are gone with the process that held them. All that a holder starts lies in one control
group, so that the next holder can end what a killed one left, and nothing of anybody else.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from ml_local import console, paths
from ml_local.errors import LocalError
from ml_local.node import cgroup


@contextmanager
def exclusive(command: str) -> Iterator[None]:
    """Hold the machine for the time of the block: its node, bridge and control groups, whichever the cache or user.

    Raises:
        LocalError: another command holds it; the message says which, since when, and how to go on.
    """
    with _held(paths.machine() / "lock", command, cgroup.COMMANDS, wait=False):
        yield


@contextmanager
def building(command: str) -> Iterator[None]:
    """Hold the cache for the time of the block; a build that another command has begun there is waited for."""
    cache = paths.cache().absolute()
    group = f"{cgroup.COMMANDS}-{hashlib.sha256(bytes(cache)).hexdigest()[:8]}"
    with _held(cache / "lock", command, group, wait=True):
        yield


@contextmanager
def _held(path: Path, command: str, group: str, *, wait: bool) -> Iterator[None]:
    with _locked(path, wait=wait) as stream:
        stream.truncate(0)
        stream.write(f"`{command}`, pid {os.getpid()}, since {time.strftime('%H:%M:%S')}")
        stream.flush()
        try:
            with _group(group):
                yield
        finally:
            path.unlink()
            with suppress(OSError):  # others keep theirs there
                path.parent.rmdir()


@contextmanager
def _group(group: str) -> Iterator[None]:
    """A control group of the holder's own; whoever is not root can't make one, and starts no daemon either."""
    if os.geteuid() != 0:
        yield
        return
    cgroup.end(cgroup.processes(group), grace=2.0)
    cgroup.create(group)
    try:
        with cgroup.inside(group):
            yield
    finally:
        cgroup.remove(group)


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[TextIO]:
    """The lock's file, locked: the one that has the name now, not one that its last holder has just removed."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            stream = path.open("a+")
        except FileNotFoundError:
            continue  # the folder went with its last holder
        with stream:
            _lock(stream, wait=wait)
            if _has_name(stream, path):
                yield stream
                return


def _has_name(stream: TextIO, path: Path) -> bool:
    try:
        return path.samefile(f"/proc/self/fd/{stream.fileno()}")
    except FileNotFoundError:
        return False


def _lock(stream: TextIO, *, wait: bool) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as held:
        stream.seek(0)
        holder = stream.read().strip() or "unknown"
        if not wait:
            raise LocalError(
                f"another command is at work: {holder}. Wait for it, or stop it with Ctrl-C or `kill PID`; what it has "
                "done so far is kept, and the next `make up` goes on from there."
            ) from held
        console.line(f"  ..  waiting for another build in the same cache: {holder}")
        fcntl.flock(stream, fcntl.LOCK_EX)
