"""The processes of one training: which one this is, and what all of them have to agree on.

torch.distributed joins them. A training in one process is a group of one, and needs no torch. Who starts the processes
is ml_runtime.worker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ml_runtime.errors import AwayError, RunError

LOST = ("gloo/", "NCCL", "Connection closed by peer", "Connection reset by peer", "Broken pipe")
"""What torch says, by the words of its libraries, where another process has gone."""
GRACE = 5.0
"""Seconds that a process waits which has lost another, so that the one that failed first is seen first."""


@dataclass(frozen=True, kw_only=True)
class Workers:
    """All processes, as one of them sees them."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one whose model counts."""
        return self.rank == 0

    def told(self, yes: bool) -> bool:
        """What the first one says; what the others say does not count."""
        if self.size == 1:
            return yes
        from torch import distributed

        said = _tensor([int(yes)])
        distributed.broadcast(said, src=0)
        return bool(said.item())

    def agree(self, what: str, digest: str) -> None:
        """Raises RunError where they have not all the same; digests are equally long."""
        if self.size == 1:
            return
        from torch import distributed

        mine = _tensor([*digest.encode()])
        each = [mine.clone() for _ in range(self.size)]
        distributed.all_gather(each, mine)
        found = [bytes(theirs.tolist()).decode() for theirs in each]
        others = [rank for rank, theirs in enumerate(found) if theirs != found[0]]
        if others:
            raise RunError(
                f"the processes differ in {what}: process 0 has {found[0]}, and process {others[0]} has "
                f"{found[others[0]]}. Somebody has changed it while they started; run this again"
            )


def _tensor(numbers: list[int]) -> Any:
    """Where the processes exchange it. Lists of objects would want a NumPy that torch was built for."""
    import torch

    return torch.tensor(numbers, device="cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def joined(environment: Mapping[str, str]) -> Iterator[Workers]:
    """The processes that the variables RANK and WORLD_SIZE tell of, for as long as they work together.

    Raises:
        RunError: there are several, and no torch.
        AwayError: another one has gone.
    """
    size = int(environment.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Workers()
        return
    distributed = _distributed(environment)
    try:
        yield Workers(rank=int(environment["RANK"]), size=size)
    except Exception as failure:
        if not is_lost(failure):
            raise
        time.sleep(GRACE)
        raise AwayError(f"another process of this training has gone: {_words(failure)}") from failure
    finally:
        distributed.destroy_process_group()


def is_lost(failure: BaseException | None) -> bool:
    """Whether it says that another process has gone, itself or by what it came of."""
    while failure is not None:
        named = type(failure).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
        if named or (isinstance(failure, RuntimeError) and any(sign in str(failure) for sign in LOST)):
            return True
        failure = failure.__cause__
    return False


def _distributed(environment: Mapping[str, str]) -> Any:
    try:
        import torch
        from torch import distributed
    except ImportError as absent:
        raise RunError(
            "a training of operator torch needs PyTorch, and its image has none; name it in the model's `packages`, "
            "such as debian: [python3-torch]"
        ) from absent
    by_gpu = torch.cuda.is_available()
    if by_gpu:
        torch.cuda.set_device(int(environment["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if by_gpu else "gloo")
    return distributed


def _words(failure: BaseException) -> str:
    return " ".join(str(failure).split())[:300]
