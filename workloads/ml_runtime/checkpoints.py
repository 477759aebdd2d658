"""What a training keeps on its way, so that it goes on from there where it starts again. For code of one's own:

    kept = checkpoints.read()                # None at the first start
    checkpoints.write(epoch, content)        # of several processes, the first one's counts

It is in the object store, below `checkpoints` of the run's settings and the run's key; without that setting, nothing is
kept. Of what was written, the newest two stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml_runtime import store
from ml_runtime.places import Stored, stored

STAY = 2
DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Where the checkpoints of this process's run are."""

    below: Stored
    patience: float
    writes: bool


_kept: Kept | None = None


def begin(uri: str | None, run: str, patience: float, *, writes: bool) -> None:
    """From now on, this process is one of that run; `writes` where what it writes counts."""
    global _kept
    _kept = None
    if uri:
        _kept = Kept(below=stored(f"{uri}{run}/", "checkpoints"), patience=patience, writes=writes)


def read() -> bytes | None:
    """The newest; None where there is none.

    Raises:
        RunError: the store refuses.
        AwayError: it was away for too long.
    """
    found = _all(_kept) if _kept else []
    return store.read(found[-1], _kept.patience) if _kept and found else None


def write(step: int, content: bytes) -> None:
    """Keep the content as that of a step, which counts from 0.

    Raises:
        RunError: the store refuses.
        AwayError: it was away for too long.
    """
    if _kept is None or not _kept.writes:
        return
    place = Stored(bucket=_kept.below.bucket, key=f"{_kept.below.key}{step:0{DIGITS}}")
    store.write(place, content, _kept.patience)
    for old in _all(_kept)[:-STAY]:
        store.remove(old, _kept.patience)


def _all(kept: Kept) -> list[Stored]:
    """In the order of their steps."""
    return [each.place for each in store.below(kept.below, kept.patience)]
