"""The node's control groups on version 2 of the kernel's hierarchy, in what is a container to those who are in it.

A machine that uses version 1 has the other beside it, with the controller of huge pages, which behaves as all do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

Inside = Callable[[str], list[str]]
# Enters the container, where it is not alone, and runs a program there.
ENTER = """
echo $$ > "$1/cgroup.procs"
exec unshare --cgroup --mount sh -ec '
  mount -t cgroup2 none "$1"; sleep 100 & trap "kill $!" EXIT; "$2" -c "$3" "$1"' sh "$2" "$3" "$4"
"""
PROGRAM = """
import os, sys
from pathlib import Path
from ml_local.node import cgroup
root = cgroup.ROOT = Path(sys.argv[1])

def say(*groups):
    handed_down, processes = ((root / f"cgroup.{name}").read_text().split() for name in ("subtree_control", "procs"))
    line = f"root hands down {len(handed_down)} and has {len(processes)} processes"
    below = [str(len((root / group / "cgroup.controllers").read_text().split())) for group in groups]
    print("; ".join([f"{line} beside {sorted(p.name for p in root.glob('*/'))}", *below]))
"""


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    """Runs a program in a group of version 2 with the controllers that can be had; the lines that it says."""
    tree, place = tmp_path / "tree", tmp_path / "inside"
    with ExitStack() as after:
        for folder in (tree, place):
            folder.mkdir()
        subprocess.run(["mount", "-t", "cgroup2", "none", tree], check=True)
        after.callback(lambda: subprocess.run(["umount", tree], check=True))
        handed_down = tree / "cgroup.subtree_control"
        before = handed_down.read_text().split()
        new = [name for name in (tree / "cgroup.controllers").read_text().split() if name not in before]
        handed_down.write_text(" ".join(f"+{name}" for name in new))
        after.callback(handed_down.write_text, " ".join(f"-{name}" for name in new))
        group = tree / f"somebodys-container-{os.getpid()}"
        group.mkdir()
        after.callback(_remove, group)

        def run(program: str) -> list[str]:
            words = ["sh", "-ec", ENTER, "sh", str(group), str(place), sys.executable, PROGRAM + program]
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            assert done.returncode == 0, done.stdout
            return done.stdout.splitlines()

        yield run


def test_a_container_hands_down_controllers_while_the_node_is_there_and_is_then_as_before(inside: Inside) -> None:
    before, during, after = inside("""
say()
cgroup.create(cgroup.CGROUP, cgroup.DAEMONS)
cgroup.create(cgroup.CGROUP, cgroup.DAEMONS)
say(cgroup.CGROUP, cgroup.DAEMONS)
cgroup.remove()
say()
""")
    assert before == "root hands down 0 and has 3 processes beside []"
    assert during == "root hands down 1 and has 0 processes beside ['ml-platform', 'ml-platform-others']; 1; 1"
    assert after == before


def test_what_others_had_handed_down_before_stays_so(inside: Inside) -> None:
    during, after = inside("""
(root / "theirs").mkdir()
for pid in (root / "cgroup.procs").read_text().split():
    (root / "theirs" / "cgroup.procs").write_text(pid)
(root / "cgroup.subtree_control").write_text("+hugetlb")
cgroup.create(cgroup.CGROUP, cgroup.DAEMONS)
say()
cgroup.remove()
say()
""")
    assert during == "root hands down 1 and has 0 processes beside ['ml-platform', 'theirs']"
    assert after == "root hands down 1 and has 0 processes beside ['theirs']"


def test_a_command_finds_its_way_back_when_the_node_has_started_meanwhile(inside: Inside) -> None:
    started, stopped = inside("""
cgroup.create(cgroup.COMMANDS)
with cgroup.inside(cgroup.COMMANDS):
    cgroup.create(cgroup.CGROUP, cgroup.DAEMONS)
cgroup.remove(cgroup.COMMANDS)
say()
cgroup.create(cgroup.COMMANDS)
with cgroup.inside(cgroup.COMMANDS):
    cgroup.remove()
cgroup.remove(cgroup.COMMANDS)
say()
""")
    assert started == "root hands down 1 and has 0 processes beside ['ml-platform', 'ml-platform-others']"
    assert stopped == "root hands down 0 and has 3 processes beside []"


def _remove(group: Path) -> None:
    """Remove a group, once what was ended in it has left it."""
    deadline = time.monotonic() + 10
    while group.exists():
        for folder in sorted([group, *group.rglob("*/")], reverse=True):
            with suppress(OSError):
                folder.rmdir()
        assert time.monotonic() < deadline, [path.read_text() for path in group.rglob("cgroup.procs")]
        time.sleep(0.02)
