"""Whose node this machine has, and what the machine had before it.

Owns one record for the whole machine, whichever user, checkout or state folder asks: bridge, control groups and tables
are the machine's. A record of an earlier boot is void, since nothing that it tells of is there any more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ml_local import paths
from ml_local.node import kernel
from ml_local.private import write_private


@dataclass(frozen=True)
class Record:
    """The state folder that has the node, and the machine's own kernel settings, tables and chains of before."""

    state: str
    boot: str
    settings: Mapping[str, str]
    tables: Collection[str]
    chains: Collection[str]


def current() -> Record | None:
    """The record of this machine, if there is one of this boot."""
    try:
        record = Record(**json.loads(_path().read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.boot == _boot() else None


def holder(state: Path) -> Path | None:
    """The state folder of the node on this machine, if that is another than `state`."""
    record = current()
    return Path(record.state) if record and Path(record.state) != state.absolute() else None


def take(state: Path, tables: Collection[str], chains: Collection[str], proc: Path = kernel.PROC) -> None:
    """Note, before the first change, whose node it will have and what it has now; a record that stands stays."""
    if current() is None:
        record = Record(str(state.absolute()), _boot(), kernel.settings(proc), sorted(tables), sorted(chains))
        write_private(_path(), json.dumps(asdict(record)))


def release(proc: Path = kernel.PROC) -> None:
    """Give the kernel's settings back and forget the record."""
    if record := current():
        kernel.set_back(record.settings, proc)
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return paths.machine() / "node.json"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
