"""What is in the node's way is said at once, each with its way out, and nothing is touched."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ml_local.errors import LocalError
from ml_local.node import network, surroundings
from ml_local.node.layout import ADDRESS, BRIDGE, Layout
from support.network import Network, picture, tool
from support.until import until

DROPS = """
table {place} {{
  chain closed {{ type filter hook {hook} priority 10; policy {policy}; meta mark 7 accept; {last} }}
}}
"""


def in_the_way(layout: Layout, *gateway: tuple[str, int]) -> list[str]:
    """What a check says, without the marks of a list."""
    try:
        surroundings.check(layout, gateway)
    except LocalError as error:
        return [line.removeprefix("  - ") for line in str(error).splitlines() if line.startswith("  - ")]
    return []


def _route(destination: str, *words: str) -> None:
    tool("ip", "link", "add", "vpn0", "type", "bridge")
    tool("ip", "address", "add", "192.0.2.1/24", "dev", "vpn0")
    tool("ip", "link", "set", "vpn0", "up")
    tool("ip", "route", "add", destination, *words)


def test_a_machine_as_it_comes_has_nothing_in_the_way(machine: Network, stranger: Network, layout: Layout) -> None:
    tool("ip", "route", "add", "default", "via", "192.0.2.2")
    tool("ip", "route", "add", "0.0.0.0/1", "via", "192.0.2.2")
    tool("ip", "route", "add", "10.97.0.0/16", "via", "192.0.2.2")
    tool("iptables", "-P", "FORWARD", "DROP")
    assert in_the_way(layout, ("127.0.0.1", 8080)) == []


def test_a_node_is_not_in_its_own_way(machine: Network, layout: Layout) -> None:
    network.up(layout)
    tool("nft", "add", "table", "ip", "kube-proxy")
    assert in_the_way(layout, ("127.0.0.1", 8080)) == []


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("10.99.0.0/24", ("dev", "vpn0", "metric", "98")),
        ("10.98.0.16/28", ("via", "192.0.2.9")),
        ("10.0.0.0/8", ("dev", "vpn0", "table", "52")),
        ("unreachable", ("10.98.0.0/24",)),
    ],
)
def test_a_route_to_the_same_addresses(
    destination: str, words: tuple[str, ...], machine: Network, layout: Layout
) -> None:
    _route(destination, *words)
    before = picture()
    (said,) = in_the_way(layout)
    assert said.startswith(f"route {destination if '.' in destination else words[0]} ")
    assert "`ip route delete" in said
    assert picture() == before


def test_an_address_of_the_nodes_on_another_interface(machine: Network, layout: Layout) -> None:
    tool("ip", "link", "add", "other0", "type", "bridge")
    tool("ip", "address", "add", f"{ADDRESS}/24", "dev", "other0")
    tool("ip", "link", "set", "other0", "up")
    (said,) = in_the_way(layout)
    assert said.startswith(f"address {ADDRESS}/24 of other0 overlaps 10.98.0.0/24")


def test_an_interface_that_has_the_bridges_name(machine: Network, layout: Layout) -> None:
    tool("ip", "link", "add", BRIDGE, "type", "veth", "peer", "name", "peer0")
    before = picture()
    (said,) = in_the_way(layout)
    assert said.startswith(f"interface {BRIDGE} is of kind veth")
    network.down()
    assert picture() == before


@pytest.mark.parametrize(
    ("place", "hook", "policy", "last", "rule"),
    [
        ("inet filter", "forward", "drop", "", f'iifname "{BRIDGE}" oifname "{BRIDGE}"'),
        ("inet filter", "input", "drop", "", f'iifname "{BRIDGE}" ip daddr 10.98.0.0/24'),
        ("ip mine", "output", "accept", "counter reject;", f'oifname "{BRIDGE}"'),
    ],
)
def test_a_firewall_that_only_its_owner_can_open_and_the_line_that_opens_it(
    place: str, hook: str, policy: str, last: str, rule: str, machine: Network, layout: Layout
) -> None:
    tool("nft", "-f", "-", stdin=DROPS.format(place=place, hook=hook, policy=policy, last=last))
    (said,) = in_the_way(layout)
    assert f"chain closed of firewall table {place} drops" in said
    mend = said.split("`")[1]
    assert mend == f"nft insert rule {place} closed {rule} accept"
    subprocess.run([*_nft(), *mend.split()[1:]], check=True)
    assert in_the_way(layout) == []


def test_firewalld_is_opened_by_its_own_command(machine: Network, layout: Layout) -> None:
    tool("nft", "-f", "-", stdin=DROPS.format(place="inet firewalld", hook="forward", policy="accept", last="reject;"))
    (said,) = in_the_way(layout)
    assert f"`firewall-cmd --zone=trusted --add-interface={BRIDGE}`" in said


@pytest.mark.parametrize("name", ["kubelet", "k3s-server", "kubelite"])
def test_another_kubernetes_that_runs(name: str, machine: Network, layout: Layout, tmp_path: Path) -> None:
    command = tmp_path / name
    shutil.copy("/bin/sleep", command)
    process = subprocess.Popen([command, "60"])
    try:
        (said,) = until(lambda: in_the_way(layout), "it is not seen")
        assert said.startswith(f"{name} (pid {process.pid}) is another Kubernetes")
        with Network().entered():
            assert in_the_way(layout) == [], "what has a network of its own, as in a container, is in nobody's way"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "leave",
    [
        lambda: tool("nft", "add", "table", "ip", "kube-proxy"),
        lambda: tool("iptables", "-t", "nat", "-N", "KUBE-SERVICES"),
        lambda: tool("iptables-legacy", "-t", "nat", "-N", "KUBE-SERVICES"),
    ],
    ids=["nftables", "iptables", "legacy"],
)
def test_the_rules_of_another_kubernetes(leave: Callable[[], str], machine: Network, layout: Layout) -> None:
    leave()
    before = picture()
    (said,) = in_the_way(layout)
    assert "another Kubernetes'" in said
    network.down()
    assert picture() == before


@pytest.mark.parametrize(
    ("kind", "address", "port"),
    [("tcp", "0.0.0.0", 10250), ("udp", "0.0.0.0", 53), ("tcp", "127.0.0.1", 2379), ("tcp", "127.0.0.1", 8080)],
)
def test_a_port_that_somebody_has_and_who(kind: str, address: str, port: int, machine: Network, layout: Layout) -> None:
    with socket.socket(socket.AF_INET, {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[kind]) as theirs:
        theirs.bind((address, port))
        if kind == "tcp":
            theirs.listen()
        (said,) = in_the_way(layout, ("127.0.0.1", 8080))
        assert said.startswith(f"{kind} port {port} on ")
        assert f"{Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})" in said
        assert ("platform.gateway.host_port" in said) is (port == 8080)


def test_all_that_is_in_the_way_is_said_at_once(machine: Network, layout: Layout) -> None:
    _route("10.99.0.0/24", "dev", "vpn0")
    tool("nft", "-f", "-", stdin=DROPS.format(place="inet filter", hook="forward", policy="drop", last=""))
    with socket.create_server(("0.0.0.0", 10250)):
        assert [said.split()[0] for said in in_the_way(layout)] == ["route", "chain", "tcp"]
    assert not layout.state.exists()


def _nft() -> list[str]:
    from ml_local import debian

    return [str(debian.command("nft"))]
