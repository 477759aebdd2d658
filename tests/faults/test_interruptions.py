"""Ctrl-C and `kill -9` at any moment of `make up`: the next one ends as the settings say, and nothing is orphaned."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ml_local import paths
from ml_local.node import cgroup, keeper, node
from ml_local.node.layout import layout
from support import killed, machine
from support.until import until, while_running


def test_a_change_killed_at_a_drawn_moment_converges(
    platform: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed.converges(killed.CHANGED, tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("moment", killed.MOMENTS, ids=lambda moment: moment.name.replace(" ", "-"))
def test_an_update_killed_at_any_moment_converges(
    moment: killed.Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed.converges(moment, tmp_path, monkeypatch)


def test_two_at_once_are_refused_and_the_first_goes_on(platform: dict[str, Any]) -> None:
    first = machine.start("up")
    while_running(first, lambda: "`make up`" in (paths.machine() / "lock").read_text(), "it has not begun")
    second = machine.make("stop")
    assert second.returncode != 0
    assert "`make up`, pid" in second.stdout
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output


def test_a_node_that_was_killed_comes_back_with_its_data(mended: dict[str, Any]) -> None:
    before = machine.outputs()
    for pid in cgroup.processes():
        killed.kill(pid)
    until(lambda: not node.running(layout()), "the node still runs")
    assert machine.make("status").returncode != 0
    done = machine.make("up", timeout=900)
    assert done.returncode == 0, done.stdout
    assert machine.outputs() == before
    assert "created" not in done.stdout


def test_what_the_runtime_writes_is_nowhere_on_the_machine(platform: dict[str, Any]) -> None:
    ours = [str(path) for folder in keeper.COVERED for path in folder.rglob("*")]
    assert ours == []
    assert str(layout().state) not in Path("/proc/mounts").read_text()
    inside = machine.run([*keeper.inside(layout()), "find", *map(str, keeper.COVERED), "-type", "s"], 30, os.environ)
    assert "/var/lib/kubelet/device-plugins/kubelet.sock" in inside.stdout.split()


def test_a_daemon_that_was_killed_is_started_again(mended: dict[str, Any]) -> None:
    from ml_local.node import daemons

    daemons.kill(layout(), "kube-scheduler")
    until(lambda: not daemons.alive(layout(), "kube-scheduler"), "the scheduler still runs")
    status = machine.make("status")
    assert status.returncode != 0
    assert "not running: kube-scheduler" in status.stdout
    assert machine.make("up").returncode == 0
    assert daemons.alive(layout(), "kube-scheduler")
