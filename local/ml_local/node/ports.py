"""Who listens on the ports that the node needs. Only looks, before any of the node's addresses is there."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator
from pathlib import Path

from ml_local.node import daemons
from ml_local.node import layout as names
from ml_local.node.layout import Layout

IP_FREEBIND = 15  # of linux/in.h: an address may be one that the machine does not have yet
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def taken(layout: Layout, gateway: Collection[tuple[str, int]] = (), proc: Path = Path("/proc")) -> list[str]:
    """What the node or the platform's gateway needs and somebody else has, in words.

    `gateway` has the addresses and ports of the machine that lead to the platform.
    """
    wanted = [
        *((name, "tcp", *place) for name, place in names.PORTS.items() if not _alive(layout, name)),
        *((name, "udp", *place) for name, place in names.DATAGRAM_PORTS.items() if not _alive(layout, name)),
        *(("the gateway", "tcp", *place) for place in gateway),
    ]
    return [
        f"{kind} port {port} on {host}, which {needs} needs: {why}{_whose(kind, port, proc)}. Stop that"
        + (", or choose another platform.gateway.host_port" if needs == "the gateway" else "")
        for needs, kind, host, port in wanted
        if (why := _refusal(kind, host, port))
    ]


def _alive(layout: Layout, listener: str) -> bool:
    return any(daemons.alive(layout, name) for name in names.DAEMONS if listener.startswith(name))


def _refusal(kind: str, host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, KINDS[kind]) as probe:
        if family == socket.AF_INET:
            probe.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        if kind == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refused:
            return refused.strerror or str(refused)
    return ""


def _whose(kind: str, port: int, proc: Path) -> str:
    """The processes that have sockets of that port, where the kernel shows them."""
    inodes = {inode for table in (kind, f"{kind}6") for inode in _sockets(proc / "net" / table, kind, port)}
    found = []
    for folder in proc.glob("[0-9]*"):
        if _has_socket(folder, inodes):
            found.append(f"{(folder / 'comm').read_text().strip()} (pid {folder.name})")
    return f" by {', '.join(sorted(found))}" if found else ""


def _sockets(table: Path, kind: str, port: int) -> Iterator[str]:
    """Inodes of the sockets that wait on a port."""
    waiting = {"tcp": "0A", "udp": "07"}[kind]
    for line in table.read_text().splitlines()[1:] if table.exists() else ():
        fields = line.split()
        if fields[3] == waiting and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def _has_socket(process: Path, inodes: Collection[str]) -> bool:
    try:
        return any(str(link.readlink()) in {f"socket:[{inode}]" for inode in inodes} for link in process.glob("fd/*"))
    except OSError:
        return False  # it ended meanwhile
