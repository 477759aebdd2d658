"""The stack on the releases themselves, brought up once for all modules that use it and don't bring up another one."""

from __future__ import annotations

import pytest
from ml_local import paths
from support.node_stack import NodeStack, bring_up


@pytest.fixture(scope="session")
def stack() -> NodeStack:
    return bring_up(paths.checkout() / "tests" / "stacks" / "upstream.yaml")
