"""How much memory the machine has for the node. Only looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ml_local.errors import LocalError

MACHINE_GIB = 8
USABLE_BYTES = 7 * 2**30  # what the kernel leaves of such a machine, with some to spare
MEMINFO = Path("/proc/meminfo")
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))  # of a container


def check(meminfo: Path = MEMINFO, limits: Sequence[Path] = LIMITS) -> None:
    """Refuse a machine on which pods would be killed for want of memory.

    Raises:
        LocalError: it has less; the message says how much, and how much is needed.
    """
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
    set_limits = [text for text in (path.read_text().strip() for path in limits if path.exists()) if text.isdigit()]
    total = min([int(fields["MemTotal"].split()[0]) * 2**10, *map(int, set_limits)])
    if total < USABLE_BYTES:
        raise LocalError(
            f"this machine has {total / 2**30:.1f} GiB of memory, and the node with the platform needs one of "
            f"{MACHINE_GIB} GiB. Use a larger one, or a cluster that exists: README.md, 'Your own cluster'"
        )
