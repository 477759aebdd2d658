"""Runs one external command to its end. Owns no policy: callers say which failures are allowed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml_local.errors import LocalError

TAIL_LINES = 15


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    check: bool = True,
    hint: str = "",
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `argv`, with `env` added to the environment and the output captured (and appended to `log`).

    Raises:
        LocalError: the command is not there, or failed while `check`; with its last lines and `hint`.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as missing:
        raise LocalError(f"the command {words[0]!r} is not there. {hint}".strip()) from missing
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            stream.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}")
    if check and done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-TAIL_LINES:])
        where = f"\nThe whole output: {log}" if log else ""
        raise LocalError(f"`{' '.join(words[:6])}` failed ({done.returncode}):\n{tail}{where}\n{hint}".strip())
    return done
