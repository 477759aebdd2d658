"""The process that keeps what the daemons share: a view of the machine's folders, and bounds on their logs.

containerd and the kubelet write into folders that no setting moves, and another runtime of the machine may have the
very same ones. So both live in a mount namespace of their own, in which folders of the node lie over those. It lives as
long as the keeper and they do; with it go all mounts that were made in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ml_local.node import daemons
from ml_local.node.daemons import Daemon
from ml_local.node.layout import Layout
from ml_local.private import write_private

NAME = "keeper"
# Where containerd 1.6, its CNI library and the kubelet write, whatever they are told.
COVERED = tuple(map(Path, ("/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers")))
LOG_LIMIT = 20 * 2**20  # bytes, of which one earlier file is kept
SCRIPT = """
own=$1 logs=$2 limit=$3 pause=$4; shift 4
for folder; do mkdir -p "$own$folder" && mount --bind "$own$folder" "$folder"; done
while sleep "$pause"; do
  find "$logs" -maxdepth 1 -name '*.log' -size +"$limit"c -exec cp {} {}.1 \\; -exec truncate --size 0 {} \\; || true
done
"""


def keeper(layout: Layout, *, log_limit: int = LOG_LIMIT, seconds: float = 30) -> Daemon:
    """The keeper; a log that has grown beyond `log_limit` bytes begins anew within some `seconds`."""
    words = [layout.run / "covers", layout.logs, log_limit, seconds, *COVERED]
    return Daemon(
        name=NAME,
        argv=["unshare", "--mount", "--propagation", "slave", "sh", "-euc", SCRIPT, NAME, *map(str, words)],
        ready=lambda: set(COVERED) <= _mounted(daemons.pid(layout, NAME)),
    )


def inside(layout: Layout) -> list[str]:
    """What a command begins with to be run in that view."""
    return ["nsenter", f"--mount=/proc/{daemons.pid(layout, NAME)}/ns/mnt", "--"]


def make_places(layout: Layout) -> None:
    """Make the folders that are covered where the machine has none, and note which those are."""
    ours = set(_places(layout)) | {folder for folder in COVERED if not folder.exists()}
    write_private(_note(layout), json.dumps(sorted(map(str, ours))))
    for folder in ours:
        folder.mkdir(parents=True, exist_ok=True)


def remove_places(layout: Layout) -> None:
    """Remove the folders that were made, but for one in which somebody has put something meanwhile."""
    for folder in _places(layout):
        with suppress(OSError):
            folder.rmdir()


def _places(layout: Layout) -> Iterable[Path]:
    return [Path(line) for line in json.loads(_note(layout).read_text())] if _note(layout).exists() else []


def _note(layout: Layout) -> Path:
    return layout.run / "covered.json"


def _mounted(pid: int | None) -> set[Path]:
    """Where something is mounted, as a process sees it."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        return {Path(line.split()[4]) for line in lines}
    return set()
