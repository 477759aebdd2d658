"""Files and folders that only their owner can read, from their first byte on. Owns no content."""

from __future__ import annotations

import os
from pathlib import Path

from ml_local import paths
from ml_local.errors import LocalError

MARK = ".ml-platform"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all; one that says the same stays as it is."""
    if _says(path, text):
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())  # before it has its name: a machine that loses power must not find it empty
    partial.rename(path)


def claim(state: Path) -> None:
    """Make the state folder, or mend it: its owner's alone, and marked as a folder that `make down` may remove.

    Raises:
        LocalError: it holds what is somebody's.
    """
    check_ours(state)
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    state.chmod(0o700)
    (state / MARK).touch(mode=0o600)


def check_ours(state: Path) -> None:
    """Look whether all in the state folder was put there by `make up`.

    Raises:
        LocalError: it was there before, with something in it.
    """
    if state == paths.STATE or not state.exists() or (state / MARK).exists():
        return
    if theirs := next(state.iterdir(), None):
        raise LocalError(
            f"{state} was not made by `make up` and holds {theirs.name}; `make down` removes all that is in the state "
            "folder. Name one that is empty or not there: ML_PLATFORM_STATE=DIR make up"
        )


def _says(path: Path, text: str) -> bool:
    try:
        return path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == text.encode()
    except OSError:
        return False
