"""The faults' platform is the end-to-end tier's; each test leaves it as it found it."""

from __future__ import annotations

from typing import Any

import pytest
from support import machine


@pytest.fixture
def platform() -> dict[str, Any]:
    """The outputs of the stack, after `make up` brought up whatever an earlier test left down."""
    done = machine.make("up", timeout=3000)
    assert done.returncode == 0, done.stdout
    return machine.outputs()
