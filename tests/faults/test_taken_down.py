"""The end of the platform, after all other modules of this tier: nothing of it is left on the machine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from ml_local.node import keeper, node
from ml_local.node.layout import layout
from support import machine


def test_after_down_nothing_is_left_and_what_somebody_put_there_is(platform: dict[str, Any]) -> None:
    theirs = [folder / "somebody" for folder in keeper.COVERED[1:]]
    for each in theirs:
        each.mkdir()
    done = machine.make("down")
    assert done.returncode == 0, done.stdout
    assert node.leftovers(layout()) == []
    assert not layout().state.exists()
    assert [each for each in theirs if not each.is_dir()] == []
    assert not keeper.COVERED[0].exists()
    for each in theirs:
        each.rmdir()
        each.parent.rmdir()
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(layout().state) in line]
    assert mounts == []
    status = subprocess.run(["git", "status", "--porcelain", "stacks"], capture_output=True, text=True, check=True)
    assert "Pulumi.local.yaml" not in status.stdout
    assert machine.make("down").returncode == 0
