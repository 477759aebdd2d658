"""The control group that holds all of the node: daemons in one leaf, pods under `kubepods`.

One group tells what the whole costs and what is still alive, even after `kill -9`. Works on both hierarchies of the
kernel: version 1 (one tree a controller) and version 2 (one tree, whose root hands controllers down: what it did not
before is undone with the group).
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ml_local.node.layout import CGROUP

ROOT = Path("/sys/fs/cgroup")
HYBRID = "unified"  # version 2 beside version 1, without the node's controllers; runc makes its groups there too
ROUNDS = 20
DAEMONS = f"{CGROUP}/daemons"
# Beside it, since it ends with the command: what `make up` and its like start.
COMMANDS = f"{CGROUP}-commands"
# On version 2 a group that hands controllers down has no processes. The root of the machine is exempt, that of a
# container is not: those that it has stay here as long as the node is there.
OTHERS = f"{CGROUP}-others"
CONTROLLERS = ("cpu", "cpuset", "hugetlb", "memory", "pids")  # which the kubelet wants, as far as the kernel has them
FILES_OF_CONTROLLERS = ("cgroup.controllers", "cgroup.subtree_control")  # that there are, that children have
NOTE = "trusted.ml-platform"  # an attribute of the node's group: what the root hands down since, for the time of it


def unified() -> bool:
    """Whether the kernel's version 2 hierarchy is the one in use."""
    return (ROOT / "cgroup.controllers").exists()


def create(*groups: str) -> None:
    """Make the groups in every hierarchy; a parent comes before its child."""
    for tree in _trees():
        for group in groups:
            (tree / group).mkdir(exist_ok=True)
            if not unified():
                _allow_processors(tree / group)
            elif group == CGROUP:
                _hand_down(tree, note=tree / group)
            elif group.startswith(f"{CGROUP}/"):
                _hand_down((tree / group).parent)


def enter(group: str = DAEMONS) -> None:
    """Move the calling process into a group; for a child before it becomes the daemon."""
    for tree in _trees():
        (tree / group / "cgroup.procs").write_text(str(os.getpid()))


@contextmanager
def inside(group: str) -> Iterator[None]:
    """Be in the group for the time of the block, with all that is started in it."""
    before = {tree: _group_of_self(tree) for tree in _trees()}
    enter(group)
    try:
        yield
    finally:
        for tree, former in before.items():
            _move(os.getpid(), tree / former) or _move(os.getpid(), tree / OTHERS)


def processes(below: str = CGROUP) -> set[int]:
    """The ids of all processes in the group or below it."""
    found: set[int] = set()
    for tree in _trees():
        for listing in (tree / below).rglob("cgroup.procs"):
            try:
                found.update(int(line) for line in listing.read_text().split())
            except OSError:
                continue  # the group went away between the listing and the read
    return found - {0, os.getpid()}


def pods() -> set[int]:
    """The ids of all processes of pods."""
    return processes(f"{CGROUP}/kubepods")


def end(which: set[int], grace: float) -> None:
    """Ask the processes to end, wait up to `grace` seconds, then kill what is left."""
    _signal(which, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (alive := {pid for pid in which if _alive(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal(alive, signal.SIGKILL)
    while any(_alive(pid) for pid in alive) and time.monotonic() < deadline + 5:
        time.sleep(0.05)


def remove(group: str = CGROUP) -> None:
    """Remove a group with all below it; what still has a process stays."""
    for tree in (*_trees(), ROOT / HYBRID):
        top = tree / group
        handed_down = _noted(top)
        for folder in sorted((p for p in top.rglob("*") if p.is_dir()), key=lambda p: len(p.parts), reverse=True):
            _rmdir(folder)
        _rmdir(top)
        if handed_down and not top.exists():
            _take_back(tree, handed_down)


def exists() -> bool:
    """Whether any hierarchy still has the group."""
    return any((tree / CGROUP).exists() for tree in (*_trees(), ROOT / HYBRID))


def resident_bytes() -> int:
    """Memory that the whole node and its pods keep resident (anonymous and mapped, without the page cache)."""
    if unified():
        stat = dict(line.split() for line in (ROOT / CGROUP / "memory.stat").read_text().splitlines())
        return int(stat["anon"]) + int(stat["file_mapped"])
    stat = dict(line.split() for line in (ROOT / "memory" / CGROUP / "memory.stat").read_text().splitlines())
    return int(stat["total_rss"]) + int(stat["total_mapped_file"])


def _trees() -> Iterator[Path]:
    if unified():
        yield ROOT
        return
    for tree in sorted(ROOT.iterdir()):
        if (tree / "cgroup.procs").exists() and tree.name != HYBRID and not tree.is_symlink():
            yield tree


def _allow_processors(group: Path) -> None:
    """Version 1 starts a group with none."""
    for setting in ("cpuset.cpus", "cpuset.mems"):
        if (group.parent / setting).exists():
            (group / setting).write_text((group.parent / setting).read_text())


def _hand_down(parent: Path, note: Path | None = None) -> None:
    """Have a group's children control what the kubelet wants, and write what is new of it on `note`."""
    available, already = (set((parent / file).read_text().split()) for file in FILES_OF_CONTROLLERS)
    new = [name for name in CONTROLLERS if name in available - already]
    if new and note:
        os.setxattr(note, NOTE, " ".join(sorted({*_noted(note), *new})).encode())
    try:
        _control(parent, "+", new)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        _move_all(parent, parent / OTHERS)
        _control(parent, "+", new)


def _take_back(root: Path, controllers: Sequence[str]) -> None:
    """As it was before `_hand_down`, but for what others have come to use."""
    for name in controllers:
        with suppress(OSError):
            _control(root, "-", [name])
    if (root / OTHERS).exists():
        _move_all(root / OTHERS, root)
        _rmdir(root / OTHERS)


def _control(group: Path, sign: str, controllers: Sequence[str]) -> None:
    if controllers:
        (group / "cgroup.subtree_control").write_text(" ".join(sign + name for name in controllers))


def _noted(group: Path) -> list[str]:
    try:
        return os.getxattr(group, NOTE).decode().split()
    except OSError:
        return []


def _move_all(source: Path, target: Path) -> None:
    """Move all processes of a group, also those that they start meanwhile."""
    target.mkdir(exist_ok=True)
    for _ in range(ROUNDS):
        if not (found := (source / "cgroup.procs").read_text().split()):
            return
        for pid in found:
            _move(int(pid), target)


def _move(pid: int, group: Path) -> bool:
    """Whether it could be moved: it may have ended, or the group may be closed to processes."""
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return True


def _group_of_self(tree: Path) -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if unified() or tree.name in controllers.replace("name=", "").split(","):
            return group.lstrip("/")
    return ""


def _signal(which: set[int], number: int) -> None:
    for pid in which:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _rmdir(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
