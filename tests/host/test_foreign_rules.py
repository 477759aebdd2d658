"""Whatever others have in the machine's tables stays as it is, however often and in which order the node goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ml_local.node import network, node
from ml_local.node.layout import Layout
from support.network import Network, picture, pod, tool

FIREWALL = """
table inet my_host_firewall {
  chain input { type filter hook input priority filter; policy accept; tcp dport 23 drop; }
  chain forward { type filter hook forward priority filter; policy accept; tcp dport 25 drop; }
}
table ip somebody {
  chain out { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }
}
table ip6 somebody {
  chain in { type filter hook input priority filter; tcp dport 23 drop; }
}
table bridge somebody {
  chain forward { type filter hook forward priority filter; ether type arp accept; }
}
table arp somebody {
  chain in { type filter hook input priority filter; }
}
"""


def furnish() -> None:
    """Rules of a host's administrator, of Docker, and of somebody's kubelet."""
    tool("nft", "-f", "-", stdin=FIREWALL)
    for kind in ("iptables", "iptables-legacy"):
        for chain in ("DOCKER", "KUBE-FIREWALL"):
            tool(kind, "-t", "filter", "-N", chain)
            tool(kind, "-t", "filter", "-A", "INPUT", "-j", chain)
            tool(kind, "-t", "nat", "-N", chain)
        tool(kind, "-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "DOCKER")
        tool(
            kind,
            "-t",
            "filter",
            "-A",
            "INPUT",
            "-m",
            "comment",
            "--comment",
            "ml-platform",
            "-s",
            "192.0.2.9",
            "-j",
            "DROP",
        )
    tool("ip", "route", "add", "unreachable", "172.16.0.0/12", "metric", "9999")


@pytest.fixture
def podman(machine: Network, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts somebody's container with port 9090 of the host."""
    addresses = {"type": "host-local", "subnet": "10.88.0.0/16", "dataDir": str(tmp_path / "addresses")}
    bridge = {"type": "bridge", "bridge": "podman0", "isGateway": True, "ipam": addresses}
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    port = {"hostPort": 9090, "containerPort": 90, "protocol": "tcp"}
    with Network() as container:
        yield lambda: container.join({"cniVersion": "0.4.0", "name": "podman", "plugins": plugins}, "theirs", [port])


def gone(layout: Layout) -> None:
    network.down()


def twice(layout: Layout) -> None:
    network.down()
    network.down()


def stopped_then_gone(layout: Layout) -> None:
    node.stop(layout)
    node.destroy(layout)


@pytest.mark.parametrize("end", [gone, twice, stopped_then_gone])
def test_rules_that_were_there_before_the_node_stay(
    machine: Network, layout: Layout, end: Callable[[Layout], None]
) -> None:
    furnish()
    before = picture()
    network.up(layout)
    assert picture() != before
    end(layout)
    assert picture() == before


@pytest.mark.parametrize("end", [gone, twice, stopped_then_gone])
def test_rules_that_came_after_the_node_stay(machine: Network, layout: Layout, end: Callable[[Layout], None]) -> None:
    with Network().entered():
        furnish()
        without_node = picture()
    network.up(layout)
    furnish()
    end(layout)
    assert picture() == without_node


def test_a_down_on_a_machine_that_never_had_a_node_changes_nothing(
    machine: Network, layout: Layout, podman: Callable[[], None]
) -> None:
    furnish()
    podman()
    tool("nft", "add", "table", "ip", "kube-proxy")
    before = picture()
    node.destroy(layout)
    assert picture() == before


def test_ports_of_another_container_network_stay_when_ours_go(
    machine: Network, layout: Layout, podman: Callable[[], None]
) -> None:
    podman()
    theirs = picture()
    network.up(layout)
    with pod(layout, "ours", host_port=8080):
        assert "8080" in tool("iptables-save", "-t", "nat")
    network.down()
    assert picture() == theirs


def test_ports_of_a_container_network_that_came_later_stay_when_ours_go(
    machine: Network, layout: Layout, podman: Callable[[], None]
) -> None:
    network.up(layout)
    with pod(layout, "ours", host_port=8080):
        podman()
    theirs = [line for line in tool("iptables-save", "-t", "nat").splitlines() if "9090" in line]
    assert len(theirs) > 2
    network.down()
    rules = tool("iptables-save", "-t", "nat")
    assert [line for line in rules.splitlines() if "9090" in line] == theirs
    assert "ml-platform" not in rules
    assert "8080" not in rules


def test_nothing_of_the_node_is_left(machine: Network, layout: Layout) -> None:
    before = picture()
    network.up(layout)
    with pod(layout, "ours", host_port=8080):
        tool("nft", "add", "table", "ip", "kube-proxy")  # what kube-proxy makes
        tool("nft", "add", "table", "ip6", "kube-proxy")
        tool("nft", "add", "table", "ip6", "nat")
    assert network.leftovers() != []
    network.down()
    assert network.leftovers() == []
    assert picture() == before
