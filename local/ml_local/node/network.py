"""The node's bridge and routes, and with its firewall all of the network that is not a pod's.

Nothing meant for a pod or a service may leave by the machine's own interface: both ranges end at the bridge, with an
unreachable route below for when the bridge is down. Forwarding, and the firewall's view of bridged traffic, are set for
this bridge alone: the machine becomes no router, and other bridges stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from ml_local import debian
from ml_local.command import run
from ml_local.node import firewall, host, iptables, kernel
from ml_local.node.layout import ADDRESS, BRIDGE, FIREWALL, POD_RANGE, SERVICE_RANGE, Layout

RANGES = (POD_RANGE, SERVICE_RANGE)
# Of their own, so that no route of anybody else is replaced by one of these.
METRIC, FALLBACK_METRIC = 98, 9999


def up(layout: Layout) -> None:
    """Make the network, or what is missing of it.

    Raises:
        LocalError: the kernel lacks what it needs.
    """
    kernel.load()
    host.take(layout.state, iptables.nft_tables(), firewall.host_port_chains())
    if not bridge():
        _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("link", "set", BRIDGE, "type", "bridge", "nf_call_iptables", "1")
    _ip("address", "replace", f"{ADDRESS}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    Path(f"/proc/sys/net/ipv4/conf/{BRIDGE}/forwarding").write_text("1")
    for address_range in RANGES:
        _ip("route", "replace", "unreachable", address_range, "metric", f"{FALLBACK_METRIC}")
    _ip("route", "replace", SERVICE_RANGE, "dev", BRIDGE, "src", ADDRESS, "metric", f"{METRIC}")
    firewall.up()


def down() -> None:
    """Remove it, and what kube-proxy and the pods' plugins left; then the machine is anybody's."""
    before = host.current()
    for address_range in RANGES:
        _ip("route", "delete", "unreachable", address_range, "metric", f"{FALLBACK_METRIC}", check=False)
    if bridge():
        _ip("link", "delete", BRIDGE, check=False)
    firewall.down(before)
    host.release()


def leftovers() -> list[str]:
    """What `down` should have removed and is still there, in words."""
    links = [f"interface {BRIDGE}"] if bridge() else []
    found = [f"route to {route['dst']}" for route in routes() if ours(route)]
    tables = [f"firewall {table}" for table in iptables.nft_tables() if table == f"table inet {FIREWALL}"]
    return [*links, *found, *tables]


def bridge() -> bool:
    """Whether our bridge is there; an interface of that name which is none is somebody else's."""
    return any(link["ifname"] == BRIDGE and kind(link) == "bridge" for link in links())


def kind(link: dict[str, Any]) -> str:
    """Such as `bridge` or `veth`; empty for hardware."""
    return str(link.get("linkinfo", {}).get("info_kind", ""))


def links() -> list[dict[str, Any]]:
    """All interfaces, with what they are."""
    return _listed("-details", "link")


def addresses() -> list[dict[str, Any]]:
    """All interfaces, with their IPv4 addresses."""
    return _listed("-4", "address")


def routes() -> list[dict[str, Any]]:
    """All IPv4 routes of all tables."""
    return _listed("-4", "route", "show", "table", "all")


def ours(route: dict[str, Any]) -> bool:
    """Whether it is one of the routes that `up` makes."""
    fallback = route.get("type") == "unreachable" and route.get("metric") == FALLBACK_METRIC
    return route.get("dev") == BRIDGE or (fallback and route["dst"] in RANGES)


def _listed(*words: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(_ip("-json", *words).stdout or "[]")
    return listed


def _ip(*words: str, check: bool = True) -> CompletedProcess[str]:
    return run([debian.command("ip"), *words], check=check)
