"""Runs an external command to its end; the error of a failed one says what the command was for."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml_platform.bundles.errors import BundleError, UnobtainableError

TAIL_LINES = 6
DEADLINE = 900.0


def find(*commands: str, advice: str) -> str:
    """The path of the first of `commands` that is on PATH.

    Raises:
        UnobtainableError: none of them is.
    """
    for command in commands:
        found = shutil.which(command)
        if found:
            return found
    raise UnobtainableError(f"The command {' or '.join(commands)} is missing. {advice}")


def run(
    argv: Sequence[str | Path],
    *,
    purpose: str,
    env: Mapping[str, str] | None = None,
    error: type[BundleError] = BundleError,
) -> str:
    """The standard output of the command.

    Raises:
        BundleError: the command failed or took too long; `error` is the class, and the last lines are in its message.
    """
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=DEADLINE,
        )
    except subprocess.TimeoutExpired as late:
        raise error(f"{purpose} did not end within {DEADLINE:.0f} s.") from late
    if done.returncode != 0:
        tail = "\n".join(
            f"  {line}" for line in done.stderr.decode(errors="replace").strip().splitlines()[-TAIL_LINES:]
        )
        raise error(f"{purpose} failed:\n{tail}")
    return done.stdout.decode()
