"""What can't run here is said in one line, with what to give it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ml_local import paths


@pytest.mark.parametrize("given", [True, False])
def test_what_needs_a_mirror_is_collected_with_one_and_named_without(given: bool, tmp_path: Path) -> None:
    environment = {**os.environ, "ML_PLATFORM_MIRROR": str(tmp_path if given else tmp_path / "none")}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", "tests/golden"]
    done = subprocess.run(command, cwd=paths.checkout(), env=environment, capture_output=True, text=True, check=True)
    absent = "not run without a mirror of upstream releases (ML_PLATFORM_MIRROR=DIR): upstream, acceptance/"
    assert (absent in done.stdout) is not given
    assert ("test_a_stack_asks_for_what_is_recorded[everything-own]" in done.stdout) is given
    assert "test_a_stack_asks_for_what_is_recorded[local-own]" in done.stdout
