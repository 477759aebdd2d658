"""What the node needs of the kernel: two modules, and the settings that the kubelet writes.

Owns their names. The kubelet never sets back what it has set, so what the machine had is remembered by `host.py`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ml_local.command import run
from ml_local.errors import LocalError

PROC = Path("/proc")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
# Of k8s.io/kubernetes/pkg/kubelet/cm, by their path below /proc/sys.
KUBELET_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
NEEDED_FOR = {"br_netfilter": "services between pods of one bridge", "overlay": "the layers of images"}


def lacking(proc: Path = PROC) -> list[str]:
    """What the kernel neither has nor can load, in words. Loads nothing."""
    found = []
    for module in _absent(proc):
        if not _modprobe("--dry-run", module):
            release = (proc / "sys/kernel/osrelease").read_text().strip()
            found.append(
                f"the kernel {release} has no {module}, which {NEEDED_FOR[module]} need, and `modprobe {module}` finds "
                f"none: install the modules of this kernel (/lib/modules/{release}) and kmod; inside a container, load "
                "it on the host"
            )
    return found


def load(proc: Path = PROC) -> None:
    """Load what is not there yet.

    Raises:
        LocalError: the kernel has no such module.
    """
    if absent := _absent(proc):
        _modprobe("--all", *absent)
    if lacks := lacking(proc):
        raise LocalError("; ".join(lacks))


def settings(proc: Path = PROC) -> dict[str, str]:
    """The values of what the kubelet writes, where this kernel has it."""
    files = {name: proc / "sys" / name for name in KUBELET_SETTINGS}
    return {name: path.read_text().strip() for name, path in files.items() if path.exists()}


def set_back(before: Mapping[str, str], proc: Path = PROC) -> None:
    """Give each setting the value it had before; one that somebody has set since then stays."""
    for name, value in settings(proc).items():
        if name in before and value == KUBELET_SETTINGS[name] != before[name]:
            (proc / "sys" / name).write_text(before[name])


def _absent(proc: Path) -> list[str]:
    overlay = "\toverlay\n" in (proc / "filesystems").read_text()
    there = {"br_netfilter": (proc / "sys/net/bridge").exists(), "overlay": overlay}
    return [module for module, is_there in there.items() if not is_there]


def _modprobe(*words: str) -> bool:
    command = shutil.which("modprobe", path=SEARCH)
    return command is not None and run([command, *words], check=False).returncode == 0
