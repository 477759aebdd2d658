"""The stack on the releases themselves, brought up once for all modules but Istio's, which has one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import chain, machine
from support.node_stack import NodeStack, bring_up

HERE, END = Path(__file__).parent, "test_the_whole_stack_goes_and_leaves_nothing"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """There is one node: Istio's stack comes first, and what removes a stack last of all that use it."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, bool, bool]:
    here = item.path.parent == HERE
    return here, here and item.path.stem != "test_upstream_istio", here and item.name == END


@pytest.fixture(scope="session")
def stack() -> NodeStack:
    return bring_up(chain.CONFIG)


@pytest.fixture
def restored(stack: NodeStack) -> Iterator[NodeStack]:
    """The stack; afterwards it is as its file says."""
    yield stack
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout
