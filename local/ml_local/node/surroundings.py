"""What of this machine is in the node's way. Only looks; all is found at once, before anything is touched.

Each finding names what was found, the rule, and the way out.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from ipaddress import IPv4Network, ip_interface
from pathlib import Path

from ml_local.errors import LocalError
from ml_local.node import cgroup, firewall, host, iptables, kernel, network, ports
from ml_local.node.layout import BRIDGE, POD_RANGE, SERVICE_RANGE, Layout

RANGES = {"pods": IPv4Network(POD_RANGE), "services": IPv4Network(SERVICE_RANGE)}
KUBERNETES = ("k0s", "k3s", "k3s-server", "kube-proxy", "kubelet", "kubelite", "rke2")
HALF = 1  # bits of the widest route that is no way to a network of somebody, but to all others


def check(layout: Layout, gateway: Collection[tuple[str, int]] = ()) -> None:
    """Refuse a machine that can't have the node, or where the node would take something from somebody.

    Raises:
        LocalError: with everything that is in the way.
    """
    if other := host.holder(layout.state):
        raise LocalError(
            f"this machine has the node of {other}, and there can be one: `ML_PLATFORM_STATE={other} make stop` stops "
            f"that one and keeps its data; then this one, of {layout.state}, can start"
        )
    if found := [
        *kernel.lacking(),
        *_names(),
        *_addresses(),
        *_routes(),
        *_other_kubernetes(),
        *_firewalls(),
        *ports.taken(layout, gateway),
    ]:
        listed = "\n".join(f"  - {line}" for line in found)
        raise LocalError(f"in the way of the node, of which nothing was started:\n{listed}\nThen `make up` again.")


def _names() -> Iterator[str]:
    for link in network.links():
        if link["ifname"] == BRIDGE and not network.bridge():
            what = f"of kind {network.kind(link) or 'hardware'}"
            yield f"interface {BRIDGE} is {what}, and the node's bridge has that name: rename it or delete it"


def _addresses() -> Iterator[str]:
    for link in network.addresses():
        for each in link["addr_info"] if link["ifname"] != BRIDGE else ():
            address = ip_interface(f"{each['local']}/{each['prefixlen']}")
            if needs := _overlapping(str(address.network)):
                yield (
                    f"address {address} of {link['ifname']} overlaps {needs}, and two networks can't have the same "
                    f"addresses: `ip address delete {address} dev {link['ifname']}` while the node is there"
                )


def _routes() -> Iterator[str]:
    for route in network.routes():
        of_an_address = route.get("protocol") == "kernel"  # what `_addresses` tells better
        if not network.ours(route) and not of_an_address and (needs := _overlapping(route["dst"])):
            way = f"via {route['gateway']} " if "gateway" in route else ""
            place = f"{way}dev {route['dev']}" if "dev" in route else route.get("type", "")
            yield (
                f"route {route['dst']} {place} overlaps {needs}, and what is behind it could not be reached: "
                f"`ip route delete {route['dst']}` (or leave that VPN) while the node is there"
            )


def _overlapping(destination: str) -> str:
    """The range of ours that a route's destination shares addresses with; the way to all others shares none."""
    if destination == "default" or (to := IPv4Network(destination, strict=False)).prefixlen <= HALF:
        return ""
    return next((f"{range_} of the node's {name}" for name, range_ in RANGES.items() if to.overlaps(range_)), "")


def _other_kubernetes() -> Iterator[str]:
    rule = "two on one machine share ports, control groups and the rules for services"
    for pid, name in _processes():
        if name in KUBERNETES:
            yield f"{name} (pid {pid}) is another Kubernetes: {rule}. Stop it, or use that one: `source: existing`"
    if host.current() is None:
        for table in set(firewall.PROXY_TABLES) & set(iptables.nft_tables()):
            yield (
                f"firewall {table} is another Kubernetes': {rule}. Stop it, or use that one: `source: existing`; what "
                f"only remains of one goes by `nft delete {table}`"
            )
    if any("KUBE-SERVICES" in table.policies for table in iptables.tables("nat")):
        yield (
            f"chain KUBE-SERVICES of iptables is another Kubernetes': {rule}. Stop it, or use that one: "
            "`source: existing`; what only remains of one goes by `kube-proxy --cleanup`, or with a reboot"
        )


def _processes() -> Iterator[tuple[int, str]]:
    """Those in this network that are not the node's; what runs in a container has a network of its own."""
    here = os.stat("/proc/thread-self/ns/net").st_ino
    for pid in sorted({int(path.name) for path in Path("/proc").glob("[0-9]*")} - cgroup.processes()):
        try:
            if os.stat(f"/proc/{pid}/ns/net").st_ino == here:
                yield pid, Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue  # it ended meanwhile


def _firewalls() -> Iterator[str]:
    for chain in firewall.closed():
        where = f"chain {chain.name} of firewall table {chain.family} {chain.table}"
        zone = f"firewall-cmd --zone=trusted --add-interface={BRIDGE}"
        mend = zone if chain.table == "firewalld" else chain.admission
        yield f"{where} drops what it does not know, which the node's own traffic is: `{mend}`"
