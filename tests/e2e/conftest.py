"""One platform for the whole tier, brought up by the command that users give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import machine


@pytest.fixture(scope="session")
def platform() -> Iterator[dict[str, Any]]:
    """The outputs of the stack after `make up`."""
    done = machine.make("up", timeout=3000)
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    return machine.outputs()
