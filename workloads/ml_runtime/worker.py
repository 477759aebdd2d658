"""Starts the processes of one worker, each with the variables that torch.distributed reads, and ends as they do.

    python -m ml_runtime.worker ml_runtime.script /etc/ml-platform/train.py

Which worker this is and where the first one is, the operator says: Trainer by PET_NODE_RANK and PET_MASTER_ADDR, the
training operator by RANK and MASTER_ADDR. How many there are is in the run's description.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from ml_runtime import learning_spec
from ml_runtime.command import USER_ERROR
from ml_runtime.errors import RunError
from ml_runtime.learning_spec import TrainSpec
from ml_runtime.spec import PATH, read

GRACE = 15.0
"""Seconds in which the others may end by themselves when one has failed."""
POLL = 0.2
AGAIN = 128
"""Codes from here on are tried again by both operators, and those below it by Trainer alone."""


def environments(spec: TrainSpec, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The variables of each process.

    Raises:
        RunError: no operator says which worker this is.
    """
    node = int(_said(given, "PET_NODE_RANK", "RANK"))
    where = {name: _said(given, f"PET_{name}", name) for name in ("MASTER_ADDR", "MASTER_PORT")}
    for local in range(spec.processes):
        yield {
            **given,
            **where,
            "RANK": str(node * spec.processes + local),
            "WORLD_SIZE": str(spec.workers * spec.processes),
            "LOCAL_RANK": str(local),
            "LOCAL_WORLD_SIZE": str(spec.processes),
        }


def wait(processes: Sequence[subprocess.Popen[bytes]], grace: float = GRACE) -> int:
    """The exit code of all together: where one fails, the others are ended."""
    end = None
    while any(each.poll() is None for each in processes):
        if end is None and any(each.returncode for each in processes):
            end = time.monotonic() + grace
        if end is not None and time.monotonic() > end:
            _end(processes)
        time.sleep(POLL)
    codes = {each.returncode for each in processes}
    if USER_ERROR in codes:
        return USER_ERROR
    return max((AGAIN + abs(code) for code in codes if code), default=0)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for each in processes:
        if each.poll() is None:
            each.kill()


def _said(given: Mapping[str, str], *names: str) -> str:
    found = next((given[name] for name in names if name in given), None)
    if found is None:
        raise RunError(f"neither {' nor '.join(names)} is set; an operator for distributed training sets them")
    return found


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.worker", description=__doc__)
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the module that each process runs, with arguments")
    words = [sys.executable, "-m", *parser.parse_args().program]
    try:
        chosen = [*environments(learning_spec.parse(read(PATH)), os.environ)]
    except RunError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return USER_ERROR
    processes = [subprocess.Popen(words, env=each) for each in chosen]

    def end(*_: object) -> None:
        for each in processes:
            each.terminate()

    signal.signal(signal.SIGTERM, end)
    return wait(processes)


if __name__ == "__main__":
    sys.exit(main())
