"""How every command here ends: 0, or another code with the reason as the last lines of the log and as the container's
message.

The code USER_ERROR says that another try would end the same way, since data, code or settings are wrong; after any
other one the run may be tried again. A command that is judged reads its description and leaves a verdict.

Kubernetes shows /dev/termination-log as the message of a container that ended, and cuts it at 4096 bytes.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ml_runtime import verdict
from ml_runtime.errors import AwayError, RunError
from ml_runtime.spec import PATH, VerdictPlace, read
from ml_runtime.verdict import Verdict

TERMINATION_LOG = Path("/dev/termination-log")
MESSAGE_BYTES = 4000
USER_ERROR, FAILURE = 3, 1
"""The exit codes: a Job of a run ends at once after the first, and tries again after the second."""


class Described(Protocol):
    """What every description of a judged run says."""

    @property
    def verdict(self) -> VerdictPlace | None: ...

    @property
    def patience(self) -> float: ...


S = TypeVar("S", bound=Described)


def run(name: str, text: str | None, parse: Callable[[Any], S], work: Callable[[S], Verdict | None]) -> int:
    """The command `name` with the argument that all judged runs have; the exit code. `work` gives no verdict where
    another process of the run does."""
    path = arguments(name, text, PATH)

    def described() -> None:
        spec = parse(read(path))
        if found := work(spec):
            say(found, spec)

    return finish(described)


def arguments(name: str, text: str | None, default: Path) -> Path:
    """Where the arguments say that the run's description is."""
    parser = argparse.ArgumentParser(prog=name, description=text)
    parser.add_argument("--spec", type=Path, default=default, help=f"the run's description; default: {default}")
    path: Path = parser.parse_args().spec
    return path


def say(result: Verdict, spec: Described) -> None:
    """Leave the verdict in the log, and where the description says."""
    print(result.to_json(), flush=True)
    if spec.verdict:
        verdict.write(result, spec.verdict, spec.patience)


def finish(work: Callable[[], None]) -> int:
    """Do the work; the exit code. What says all by its message is only that, anything else a traceback."""
    try:
        work()
    except RunError as error:
        return _failed(f"error: {error}", USER_ERROR)
    except AwayError as error:
        return _failed(f"error: {error}", FAILURE)
    except Exception:
        return _failed(traceback.format_exc().rstrip(), FAILURE)
    return 0


def _failed(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    with suppress(OSError):
        TERMINATION_LOG.write_bytes(text.encode()[-MESSAGE_BYTES:])
    return code
