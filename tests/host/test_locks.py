"""One command at a time on the machine, one build at a time in a cache, and only what the dead left is ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_local import lock, paths
from ml_local.errors import LocalError
from ml_local.node import cgroup
from support.until import until

GROUP = f"ml-platform-test-{os.getpid()}"
HOLDER = """
import subprocess, sys
from pathlib import Path
from ml_local import lock, paths
from ml_local.node import cgroup
machine, kind, command = sys.argv[1:4]
paths.machine = lambda: Path(machine)
cgroup.COMMANDS = {group!r}
with getattr(lock, kind)(command):
    work = subprocess.Popen(["sleep", "600"])
    print(work.pid, flush=True)
    sys.stdin.read()
    work.kill()
"""


class Holder:
    """Another command at work, in a cache of its own or a given one."""

    def __init__(self, kind: str, machine: Path, cache: Path) -> None:
        program = HOLDER.format(group=GROUP)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(machine), kind, "make other"],
            env={**os.environ, "ML_PLATFORM_CACHE": str(cache), "PYTHONPATH": ":".join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.work = 0
        self.said = ""
        while not self.work and (line := self.process.stdout.readline()):
            self.said += line
            self.work = int(line) if line.strip().isdigit() else 0
            if "waiting" in line:
                return

    @property
    def works(self) -> bool:
        return Path(f"/proc/{self.work}").exists() and " Z " not in Path(f"/proc/{self.work}/stat").read_text()

    def end(self) -> None:
        self.process.communicate("")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The machine's folder; its control groups have a name of the test's own."""
    monkeypatch.setattr(paths, "machine", lambda: tmp_path / "machine")
    monkeypatch.setattr(cgroup, "COMMANDS", GROUP)
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "mine"))
    yield tmp_path / "machine"
    for tree in cgroup.ROOT.iterdir():
        for group in tree.glob(f"{GROUP}*"):
            cgroup.end(cgroup.processes(group.name), grace=1.0)
            cgroup.remove(group.name)


def test_a_command_with_another_cache_is_refused_and_the_first_goes_on(machine: Path, tmp_path: Path) -> None:
    first = Holder("exclusive", machine, tmp_path / "theirs")
    with pytest.raises(LocalError, match=f"`make other`, pid {first.process.pid}, since"), lock.exclusive("make up"):
        pytest.fail("two at once")
    assert first.works
    first.end()
    with lock.exclusive("make up"):
        assert f"`make up`, pid {os.getpid()}" in (machine / "lock").read_text()
    assert not (machine / "lock").exists()


def test_a_build_in_another_cache_goes_beside_a_command_and_is_not_ended(machine: Path, tmp_path: Path) -> None:
    build = Holder("building", machine, tmp_path / "theirs")
    with lock.exclusive("make up"), lock.building("make up"):
        assert build.works
    assert build.works
    build.end()


def test_a_second_build_in_one_cache_waits_and_says_for_whom(machine: Path, tmp_path: Path) -> None:
    first = Holder("building", machine, tmp_path / "theirs")
    second = Holder("building", machine, tmp_path / "theirs")
    assert f"`make other`, pid {first.process.pid}" in second.said
    assert not second.work
    assert first.works
    first.end()
    second.end()
    assert second.process.returncode == 0


@pytest.mark.parametrize("kind", ["exclusive", "building"])
def test_what_a_killed_command_left_is_ended_by_the_next(kind: str, machine: Path, tmp_path: Path) -> None:
    dead = Holder(kind, machine, tmp_path / "mine")
    dead.kill()
    assert dead.works
    with getattr(lock, kind)("make up"):
        until(lambda: not dead.works, "it goes on")


def test_a_build_of_the_dead_in_another_cache_is_nobody_elses_to_end(machine: Path, tmp_path: Path) -> None:
    dead = Holder("building", machine, tmp_path / "theirs")
    dead.kill()
    with lock.exclusive("make up"), lock.building("make up"):
        assert dead.works
