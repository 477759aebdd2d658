"""The stack on the releases themselves, brought up once for all modules that use it and don't bring up another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import chain, etl, machine
from support.node_stack import NodeStack, bring_up


@pytest.fixture(scope="session")
def stack() -> NodeStack:
    return bring_up(chain.CONFIG)


@pytest.fixture
def restored(stack: NodeStack) -> Iterator[NodeStack]:
    """The stack; afterwards it is as its file says."""
    yield stack
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def store(stack: NodeStack) -> Any:
    """A client of the object store."""
    return etl.object_store(machine.client(), machine.outputs()["object_store_endpoint"])
