"""Who reaches whom: pods one another and the node, whatever the host's firewall says; strangers nothing of either."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ml_local.node import network
from ml_local.node.layout import ADDRESS, FIREWALL, Layout
from support.network import Network, link, pod, server, setting, tool

API, SSH = 6443, 22
KINDS = ("iptables", "iptables-legacy")
SERVICE = """
table ip kube-proxy {
  chain services { type nat hook prerouting priority dstnat; ip daddr 10.99.0.10 tcp dport 8000 dnat to %s:80; }
}
"""


@contextmanager
def up(layout: Layout) -> Iterator[None]:
    network.up(layout)
    try:
        yield
    finally:
        network.down()


def closed(kind: str) -> None:
    """As Docker leaves FORWARD, and ufw the rest."""
    for chain in ("INPUT", "FORWARD", "OUTPUT"):
        tool(kind, "-A", chain, "-i" if chain == "INPUT" else "-o", "lo", "-j", "ACCEPT")
        tool(kind, "-P", chain, "DROP")


@pytest.mark.parametrize("kind", KINDS)
def test_pods_reach_one_another_and_the_node_past_a_closed_firewall(
    kind: str, machine: Network, layout: Layout
) -> None:
    closed(kind)
    rules = tool(kind, "-S")
    with up(layout), pod(layout, "one") as one, pod(layout, "two") as two, server(machine, ADDRESS, API):
        assert one.reaches(two.address, 80)
        assert one.reaches(ADDRESS, API)
        assert machine.reaches(one.address, 80)
        network.up(layout)  # again, as each `make up` does
        assert tool(kind, "-S").count("--comment ml-platform") == 3
    assert tool(kind, "-S") == rules


def test_docker_keeps_its_own_rules_and_has_ours_where_it_wants_those_of_others(
    machine: Network, layout: Layout
) -> None:
    tool("iptables", "-P", "FORWARD", "DROP")
    tool("iptables", "-N", "DOCKER-USER")
    tool("iptables", "-A", "FORWARD", "-j", "DOCKER-USER")
    rules = tool("iptables", "-S")
    with up(layout), pod(layout, "one") as one, pod(layout, "two") as two:
        assert "ml-platform" in tool("iptables", "-S", "DOCKER-USER")
        assert "ml-platform" not in tool("iptables", "-S", "FORWARD")
        assert one.reaches(two.address, 80)
    assert tool("iptables", "-S") == rules


def test_a_host_without_a_firewall_gets_none(machine: Network, layout: Layout) -> None:
    with up(layout):
        assert [line for line in tool("nft", "list", "tables").splitlines() if FIREWALL not in line] == []


def test_a_service_leads_from_pod_to_pod_of_one_bridge(machine: Network, layout: Layout) -> None:
    setting("bridge/bridge-nf-call-iptables", "0")
    with up(layout), pod(layout, "one") as one, pod(layout, "two") as two:
        tool("nft", "-f", "-", stdin=SERVICE % two.address)
        assert one.reaches("10.99.0.10", 8000)


def test_a_port_of_the_host_leads_to_its_pod(machine: Network, layout: Layout) -> None:
    with up(layout), pod(layout, "gateway", host_port=8080):
        assert machine.reaches("127.0.0.1", 8080)


def test_a_stranger_on_the_lan_reaches_the_machine_and_nothing_of_the_node(
    machine: Network, layout: Layout, stranger: Network
) -> None:
    setting("ipv4/ip_forward", "1")
    with up(layout), pod(layout, "one") as one, server(machine, "0.0.0.0", SSH), server(machine, ADDRESS, API):
        tool("nft", "-f", "-", stdin=SERVICE % one.address)
        assert stranger.reaches("192.0.2.1", SSH)
        reached = [place for place in ((ADDRESS, API), (ADDRESS, SSH), (one.address, 80), ("10.99.0.10", 8000))
                   if stranger.reaches(*place)]  # fmt: skip
        assert reached == []


def test_a_stranger_gets_no_answer_from_the_names_of_the_node(
    machine: Network, layout: Layout, stranger: Network
) -> None:
    with up(layout):
        assert machine.is_heard(machine, ADDRESS, 53)
        assert not stranger.is_heard(machine, ADDRESS, 53)
        assert stranger.is_heard(machine, "192.0.2.1", 53)


@pytest.mark.parametrize("forwarding", ["0", "1"])
def test_the_machine_is_as_much_of_a_router_as_before(
    forwarding: str, machine: Network, layout: Layout, stranger: Network
) -> None:
    setting("ipv4/ip_forward", forwarding)
    with Network() as behind:
        link(machine, behind, "wan0", "198.51.100.1/24", "198.51.100.2/24")
        with up(layout), pod(layout, "one") as one, pod(layout, "two") as two, server(behind, "0.0.0.0", 80):
            assert one.reaches(two.address, 80)
            assert stranger.reaches("198.51.100.2", 80) is (forwarding == "1")
            assert not one.reaches("198.51.100.2", 80)
            assert setting("ipv4/ip_forward") == forwarding
        assert setting("ipv4/ip_forward") == forwarding


def test_other_bridges_keep_their_traffic_out_of_the_firewall(machine: Network, layout: Layout) -> None:
    setting("bridge/bridge-nf-call-iptables", "0")
    with up(layout):
        assert setting("bridge/bridge-nf-call-iptables") == "0"


def test_a_pod_is_kept_from_the_loopback_of_the_machine(machine: Network, layout: Layout) -> None:
    with up(layout), pod(layout, "gateway", host_port=8080) as one, server(machine, "127.0.0.1", 9000):
        with one.entered():
            tool("ip", "address", "delete", "127.0.0.1/8", "dev", "lo")
            tool("ip", "route", "add", "127.0.0.1", "via", ADDRESS, "dev", "eth0", "src", one.address)
            setting("ipv4/conf/all/route_localnet", "1")
        assert not one.reaches("127.0.0.1", 9000)
        tool("nft", "delete", "chain", "inet", FIREWALL, "prerouting")
        assert one.reaches("127.0.0.1", 9000)  # which is what kept it
