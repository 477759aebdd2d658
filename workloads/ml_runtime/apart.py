"""Runs what a model does in a process of its own, of which arrays come back.

So two models that bring modules of the same name don't get each other's; a crash is an answer; no model's code reaches
what judges it, since only numbers and texts are read back; and its memory is free again afterwards.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import AwayError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

RESULT, REASON = "result.npz", "reason.json"
LONGEST = 2000


class FaultError(Exception):
    """The work failed by its own fault."""


class MachineError(AwayError):
    """The machine could not do the work here and now, which says nothing about the work."""


def call(work: Callable[[], Arrays], is_machines: Callable[[BaseException], bool]) -> dict[str, NDArray[Any]]:
    """The arrays that `work` gives.

    Raises:
        FaultError: it failed, or ended its process.
        MachineError: it failed by what `is_machines` says is the machine's, or was killed, as for memory.
    """
    import numpy

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # By a fork: what is imported here is there already, and `work` needs no pickling.
        process = multiprocessing.get_context("fork").Process(target=_work, args=(work, is_machines, folder))
        process.start()
        process.join()
        if (folder / REASON).exists():
            said = json.loads((folder / REASON).read_text())
            raise (MachineError if said["machine"] else FaultError)(said["reason"])
        if process.exitcode == 0 and (folder / RESULT).exists():
            with numpy.load(folder / RESULT, allow_pickle=False) as found:
                return dict(found)
        raise _ended(process.exitcode or 0)


def _work(work: Callable[[], Arrays], is_machines: Callable[[BaseException], bool], folder: Path) -> None:
    import numpy

    try:
        numpy.savez(folder / RESULT, allow_pickle=False, **work())
    except Exception as failure:
        reason = str(failure) if isinstance(failure, FaultError) else f"{type(failure).__name__}: {failure}"
        said = {"machine": is_machines(failure), "reason": reason[:LONGEST]}
        (folder / REASON).write_text(json.dumps(said))


def _ended(code: int) -> Exception:
    if code == -signal.SIGKILL:
        return MachineError("its process was killed; it may need more memory than the run has")
    by = f"the signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
    return FaultError(f"it ended its process by {by}")
