"""Networks of a test's own: a machine, what stands on its LAN, and pods as the container runtime would make them.

A namespace is a file descriptor; it is gone, with all that is in it, when that is closed. What a test does, by itself
and by the commands that it starts, is done in the namespace that its thread is in.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ml_local import debian
from ml_local.command import run
from ml_local.node import config
from ml_local.node.layout import Layout

CLONE_NEWNET = 0x40000000  # of linux/sched.h
PATIENCE = 0.7  # seconds after which what is dropped counts as dropped; all is on this machine
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """A network namespace, empty but for its loopback."""

    def __init__(self) -> None:
        with _back_here():
            _check(_libc.unshare(CLONE_NEWNET))
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            tool("ip", "link", "set", "lo", "up")
        self.address = "127.0.0.1"

    @property
    def path(self) -> str:
        """By which commands find it."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it for the time of the block."""
        with _back_here():
            _check(_libc.setns(self._fd, CLONE_NEWNET))
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """At once, while the kernel takes its time to clear a namespace."""
        with self.entered():
            run([debian.command("ip"), "link", "delete", "eth0"], check=False)
        os.close(self._fd)

    def join(self, settings: Mapping[str, Any], container: str, ports: Sequence[Mapping[str, Any]] = ()) -> None:
        """Become a container's of a CNI network: its plugins run as a container runtime runs them."""
        folder = debian.root() / "root" / "usr" / "lib" / "cni"
        env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": container, "CNI_NETNS": self.path, "CNI_IFNAME": "eth0"}
        env |= {"CNI_PATH": str(folder), "PATH": f"{debian.root() / 'bin'}:/usr/bin:/bin"}
        result: dict[str, Any] = {}
        for plugin in settings["plugins"]:
            given = {**plugin, "cniVersion": settings["cniVersion"], "name": settings["name"]}
            given |= {"runtimeConfig": {"portMappings": ports}} if plugin.get("capabilities") else {}
            given |= {"prevResult": result} if result else {}
            result = json.loads(run([folder / plugin["type"]], env=env, stdin=json.dumps(given)).stdout)
        self.address = str(result["ips"][0]["address"]).partition("/")[0]

    def reaches(self, address: str, port: int) -> bool:
        """Whether somebody there accepts a connection."""
        try:
            with self.entered(), socket.create_connection((address, port), timeout=PATIENCE):
                return True
        except OSError:
            return False

    def is_heard(self, by: Network, address: str, port: int) -> bool:
        """Whether a datagram to an address of another network arrives there."""
        with by.entered():
            listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with listener, self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            listener.settimeout(PATIENCE)
            listener.bind((address, port))
            sender.sendto(b"who?", (address, port))
            try:
                return bool(listener.recv(16))
            except TimeoutError:
                return False


@contextmanager
def server(network: Network, address: str, port: int) -> Iterator[None]:
    """Somebody who accepts connections in a network."""
    with network.entered():
        listener = socket.create_server((address, port))
    with listener:
        yield


def link(near: Network, far: Network, name: str, near_address: str, far_address: str) -> None:
    """A cable between two networks, with addresses such as 192.0.2.1/24 at its ends."""
    with near.entered():
        tool("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", far.path)
        tool("ip", "address", "add", near_address, "dev", name)
        tool("ip", "link", "set", name, "up")
    with far.entered():
        tool("ip", "address", "add", far_address, "dev", "eth0")
        tool("ip", "link", "set", "eth0", "up")
        tool("ip", "route", "add", "default", "via", near_address.partition("/")[0])


@contextmanager
def pod(layout: Layout, name: str, host_port: int | None = None) -> Iterator[Network]:
    """A pod's network on the node's bridge, by the node's own settings for the plugins; its server is on port 80."""
    config.write(layout)
    (settings,) = (layout.config / "cni").iterdir()
    port = {"hostPort": host_port, "containerPort": 80, "protocol": "tcp", "hostIP": "127.0.0.1"}
    with Network() as network:
        network.join(json.loads(settings.read_text()), name, [port] if host_port else [])
        with server(network, "0.0.0.0", 80):
            yield network


def tool(name: str, *words: str, stdin: str | None = None) -> str:
    """The output of a command of the node's own Debian packages."""
    return run([debian.command(name), *words], stdin=stdin).stdout


def setting(name: str, value: str | None = None) -> str:
    """A setting of this network's kernel, after it was set if a value is given."""
    path = Path("/proc/sys/net", name)
    if value is not None:
        path.write_text(value)
    return path.read_text().strip()


def picture() -> dict[str, str]:
    """All of this network that somebody may have set up."""
    legacy = Path("/proc/thread-self/net/ip_tables_names").read_text()  # asking for others makes them
    settings = ("ipv4/ip_forward", "bridge/bridge-nf-call-iptables")
    return {
        "nftables": tool("nft", "--stateless", "list", "ruleset"),
        "legacy tables": re.sub(r"(?m)^#.*|\[\d+:\d+\]", "", tool("iptables-legacy-save")) if legacy else "",
        "addresses": tool("ip", "-4", "-oneline", "address"),
        "routes": tool("ip", "-4", "route", "show", "table", "all"),
        "interfaces": " ".join(sorted(each["ifname"] for each in json.loads(tool("ip", "-json", "link")))),
        **{name: setting(name) for name in settings},
    }


@contextmanager
def _back_here() -> Iterator[None]:
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        yield
    finally:
        _check(_libc.setns(here, CLONE_NEWNET))
        os.close(here)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
