"""A stack on an empty node: brought up by `make up`, and what was there before it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml_local import stack
from ml_local.node import node
from ml_local.node.layout import layout
from support import inventory, machine


@dataclass(frozen=True)
class NodeStack:
    config: Path
    """Its settings, as plain Pulumi takes them on this machine."""
    before: set[str]
    """All objects of the node when it was empty."""


def bring_up(config: Path) -> NodeStack:
    """`make up CONFIG=...` on a node on which nothing was before."""
    down = machine.make("down")
    assert down.returncode == 0, down.stdout
    node.start(layout(), lambda _: None)
    before = inventory.settled(machine.client())
    up = machine.make("up", f"CONFIG={config}", timeout=3000)
    assert up.returncode == 0, up.stdout
    return NodeStack(stack.with_salt(layout(), config), before)
