"""There is one node on a machine: another state folder, checkout or user never touches it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ml_local import paths, private
from ml_local.errors import LocalError
from ml_local.node import host, network, node, surroundings
from ml_local.node.layout import Layout
from support.network import Network, picture, tool


@pytest.fixture
def other(tmp_path: Path) -> Layout:
    """The state folder of somebody else, with data."""
    folder = tmp_path / "other"
    private.claim(folder)
    (folder / "data").mkdir()
    return Layout(folder)


def test_another_state_is_refused_with_the_way_to_stop_the_first(
    machine: Network, layout: Layout, other: Layout
) -> None:
    network.up(layout)
    before = picture()
    with pytest.raises(LocalError, match=f"ML_PLATFORM_STATE={layout.state} make stop"):
        surroundings.check(other)
    with pytest.raises(LocalError, match=f"ML_PLATFORM_STATE={layout.state} make stop"):
        node.stop(other)
    assert picture() == before


def test_a_down_of_another_state_removes_its_own_files_alone(machine: Network, layout: Layout, other: Layout) -> None:
    network.up(layout)
    tool("nft", "add", "table", "ip", "kube-proxy")
    before = picture()
    node.destroy(other)
    assert picture() == before
    assert not other.state.exists()
    assert node.leftovers(other) == []
    assert node.leftovers(layout) != []


def test_a_machine_whose_node_was_stopped_is_anybodys(machine: Network, layout: Layout, other: Layout) -> None:
    network.up(layout)
    node.stop(layout)
    surroundings.check(other)
    network.up(other)
    assert host.holder(layout.state) == other.state


def test_a_record_of_an_earlier_boot_is_void(machine: Network, layout: Layout, other: Layout) -> None:
    network.up(layout)
    with Network().entered():  # what a reboot leaves of the network
        record = paths.machine() / "node.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), "boot": "an earlier one"}))
        tool("nft", "add", "table", "ip", "kube-proxy")
        before = picture()
        node.destroy(layout)
        assert picture() == before
        assert not record.exists()
        tool("nft", "delete", "table", "ip", "kube-proxy")
        surroundings.check(other)


def test_after_down_the_machine_remembers_nothing(machine: Network, layout: Layout) -> None:
    network.up(layout)
    assert list(paths.machine().iterdir())
    node.destroy(layout)
    assert not paths.machine().exists() or not list(paths.machine().iterdir())
