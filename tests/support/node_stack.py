"""A stack on an empty node: brought up by `make up`, what every one of them must stand, and what was there before it.

How long each takes is for `make bench` to say: a machine that others use as well would fail a test of it at random.
"""

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


def assert_settled(stack: NodeStack) -> None:
    """A second `up` finds nothing to do."""
    done = machine.up(stack.config)
    assert done.returncode == 0, done.stdout
    assert "unchanged" in done.stdout
    assert not {"created", "updated", "replaced", "deleted"} & set(done.stdout.split())


def assert_undisturbed(stack: NodeStack) -> None:
    """What controllers fill in at run time is no difference to what was declared."""
    words = ("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", "local", "--non-interactive")
    done = machine.tool(*words, "--config-file", str(stack.config))
    assert done.returncode == 0, done.stdout


def assert_leaves_nothing(stack: NodeStack) -> None:
    """`pulumi destroy` ends, and the node is as it was when it was empty."""
    done = machine.destroy(stack.config)
    assert done.returncode == 0, done.stdout
    assert inventory.left_over(machine.client(), stack.before) == set()
