"""A machine of the test's own: a network namespace with a LAN, no control groups, and a folder for its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_local import debian, lock, paths
from ml_local.node import cgroup
from ml_local.node.layout import Layout
from support.network import Network, link


@pytest.fixture(scope="session")
def commands() -> None:
    """The node's own commands; nothing else is built for these tests."""
    if not debian.root().exists():
        with lock.building("pytest"):
            debian.unpack()


@pytest.fixture
def machine(commands: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The network of a machine with 192.0.2.1 on its LAN; the test is in it."""
    monkeypatch.setattr(paths, "machine", lambda: tmp_path / "machine")
    (tmp_path / "cgroup").mkdir()
    monkeypatch.setattr(cgroup, "ROOT", tmp_path / "cgroup")
    with Network() as network, network.entered():
        yield network


@pytest.fixture
def stranger(machine: Network) -> Iterator[Network]:
    """Another machine of that LAN, which takes ours for its router."""
    with Network() as network:
        link(machine, network, "lan0", "192.0.2.1/24", "192.0.2.2/24")
        yield network


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The node's state folder."""
    return Layout(tmp_path / "state")
