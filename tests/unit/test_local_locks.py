"""The lock that a killed `pulumi` leaves in its backend."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ml_local import stack
from ml_local.node.layout import Layout


def _lock(layout: Layout, *, pid: int, host: str = "") -> Path:
    folder = layout.state / "pulumi/backend/.pulumi/locks/organization/ml-platform/local"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "one.json"
    path.write_text(json.dumps({"pid": pid, "hostname": host or socket.gethostname()}))
    return path


def test_the_lock_of_a_dead_process_is_cancelled(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = _lock(Layout(tmp_path), pid=gone.pid)
    stack._cancel_dead_lock(Layout(tmp_path))
    assert not path.exists()


def test_the_lock_of_one_whose_remains_nobody_collects_is_cancelled(tmp_path: Path) -> None:
    remains = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, remains.pid, os.WEXITED | os.WNOWAIT)
    path = _lock(Layout(tmp_path), pid=remains.pid)
    stack._cancel_dead_lock(Layout(tmp_path))
    remains.wait()
    assert not path.exists()


@pytest.mark.parametrize("host", ["", "another-host"])
def test_the_lock_of_a_live_pulumi_or_of_another_host_stays(host: str, tmp_path: Path) -> None:
    named = tmp_path / "bin" / "pulumi"
    named.parent.mkdir()
    named.symlink_to("/bin/sleep")
    live = subprocess.Popen([named, "30"])
    try:
        path = _lock(Layout(tmp_path), pid=live.pid if not host else 1, host=host)
        stack._cancel_dead_lock(Layout(tmp_path))
        assert path.exists()
    finally:
        live.kill()
        live.wait()
