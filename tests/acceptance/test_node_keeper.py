"""What the keeper keeps: the machine's folders from the runtime, and the disk from the logs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ml_local.node import cgroup, daemons, keeper
from ml_local.node.layout import Layout

SECONDS = 0.2


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """A node whose runtime writes to two folders of the machine, of which another runtime has one."""
    monkeypatch.setattr(cgroup, "enter", lambda: None)
    monkeypatch.setattr(keeper, "COVERED", (tmp_path / "run/theirs", tmp_path / "lib/nobodys"))
    (tmp_path / "run/theirs").mkdir(parents=True)
    (tmp_path / "run/theirs/somebody").write_text("a container of somebody's")
    layout = Layout(tmp_path / "state")
    layout.logs.mkdir(parents=True)
    keeper.make_places(layout)
    daemon = keeper.keeper(layout, log_limit=1000, seconds=SECONDS)
    daemons.start(layout, daemon)
    daemons.wait(layout, daemon)
    yield layout
    daemons.stop(layout, keeper.NAME, grace=1)


def _inside(layout: Layout, script: str) -> str:
    words = [*keeper.inside(layout), "sh", "-ec", script]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_the_runtime_neither_sees_nor_changes_what_another_has(node: Layout, tmp_path: Path) -> None:
    theirs = tmp_path / "run/theirs"
    assert _inside(node, f"ls {theirs}; rm -rf {theirs}/*; echo ours > {theirs}/socket") == ""
    assert {path.name: path.read_text() for path in theirs.iterdir()} == {"somebody": "a container of somebody's"}
    assert _inside(node, f"cat {theirs}/socket") == "ours\n"


def test_what_the_runtime_mounts_is_never_the_machines_and_goes_with_the_keeper(node: Layout, tmp_path: Path) -> None:
    point = node.run / "volume"
    point.mkdir()
    _inside(node, f"mount -t tmpfs tmpfs {point}; echo secret > {point}/token")
    assert list(point.iterdir()) == []
    daemons.stop(node, keeper.NAME, grace=1)
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


def test_only_empty_folders_that_were_made_are_removed(node: Layout, tmp_path: Path) -> None:
    keeper.make_places(node)  # a second start still knows what the first one made
    daemons.stop(node, keeper.NAME, grace=1)
    keeper.remove_places(node)
    assert (tmp_path / "run/theirs/somebody").exists()
    assert not (tmp_path / "lib/nobodys").exists()
    (tmp_path / "lib/nobodys").mkdir()
    (tmp_path / "lib/nobodys/docker").touch()
    keeper.remove_places(node)
    assert (tmp_path / "lib/nobodys/docker").exists()


def test_a_log_begins_anew_while_its_daemon_writes_on(node: Layout) -> None:
    path, former = node.logs / "kubelet.log", node.logs / "kubelet.log.1"
    with path.open("ab", buffering=0) as log:
        log.write(b"the first\n" * 200)
        _until(lambda: path.stat().st_size == 0)
        log.write(b"the second\n")
    assert path.read_text() == "the second\n"
    assert former.read_text() == "the first\n" * 200


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)
