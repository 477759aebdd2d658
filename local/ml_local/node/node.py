"""Starts, stops and removes the node. Owns the order; the parts own the how.

`start` can be called at any time, also after a crash, a reboot or a killed start: it does what is missing.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ml_platform.kube import Client, KubeError

from ml_local.command import run
from ml_local.errors import LocalError
from ml_local.node import cgroup, commands, config, daemons, network, objects, pki
from ml_local.node import layout as names
from ml_local.node.layout import Layout
from ml_local.private import write_private

Progress = Callable[[str], None]
# Written by containerd, its plugins and kubelet outside the folders that they can be given.
FOREIGN_FOLDERS = ("/run/containerd", "/var/lib/cni", "/var/log/containers", "/var/lib/kubelet", "/run/runc")
FOREIGN_FILES = ("/run/xtables.lock",)


def start(layout: Layout, progress: Progress) -> None:
    """Bring the node to Ready.

    Raises:
        LocalError: a port is taken, a daemon does not come up, or the node is not Ready in time.
    """
    layout.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (layout.run, layout.data, layout.logs, layout.data / "kubelet"):
        folder.mkdir(parents=True, exist_ok=True)
    _remember_host(layout)
    cgroup.create(names.CGROUP, cgroup.DAEMONS)
    network.up(layout)
    _check_ports(layout)
    pki.write(layout)
    config.write(layout)
    _write_cluster_file(layout)
    _start(layout, commands.infrastructure(layout), progress)
    _start(layout, [commands.api_server(layout)], progress)
    objects.apply(layout, client(layout))
    _start(layout, commands.control_plane(layout), progress)
    progress("waiting for the node to be Ready")
    _wait_ready(layout)


def running(layout: Layout) -> bool:
    """Whether all daemons live."""
    return all(daemons.alive(layout, name) for name in daemon_names())


def stop(layout: Layout, *, grace: float = 10.0) -> None:
    """End all processes, undo mounts and network; the data stays."""
    for name in ("kubelet", "kube-controller-manager", "kube-scheduler"):
        daemons.stop(layout, name, grace=3.0)
    cgroup.end(cgroup.pods(), grace)
    for name in reversed(daemon_names()):
        daemons.stop(layout, name)
    cgroup.end(cgroup.processes(), 5.0)
    _unmount(layout.state)
    network.down(layout)
    cgroup.remove()
    _remove_foreign(layout)
    shutil.rmtree(layout.run, ignore_errors=True)


def destroy(layout: Layout) -> None:
    """Stop it and remove all its data.

    Raises:
        LocalError: something is left; the message names it.
    """
    stop(layout, grace=1.0)
    shutil.rmtree(layout.state, ignore_errors=True)
    if left := leftovers(layout):
        raise LocalError("left behind:\n" + "\n".join(f"  {line}" for line in left) + "\nTry `make down` again.")


def leftovers(layout: Layout) -> list[str]:
    """What of the node is still on the machine, in words; empty after `destroy`."""
    left = [f"process {pid}" for pid in sorted(cgroup.processes())]
    left += [f"mount {point}" for point in _mounts(layout.state)]
    left += network.leftovers()
    left += [f"control group {names.CGROUP}"] if cgroup.exists() else []
    return left + ([f"folder {layout.state}"] if layout.state.exists() else [])


def client(layout: Layout) -> Client:
    """The administrator's client."""
    return Client.from_kubeconfig(str(layout.admin_kubeconfig))


def daemon_names() -> list[str]:
    """All daemons in the order of their start; known also when nothing is built."""
    first = ["etcd", "registry", "containerd", "kube-apiserver"]
    return [*first, "kube-controller-manager", "kube-scheduler", "coredns", "kubelet", "kube-proxy"]


def _start(layout: Layout, group: Sequence[daemons.Daemon], progress: Progress) -> None:
    for daemon in group:
        daemons.start(layout, daemon)
    for daemon in group:
        progress(f"waiting for {daemon.name}")
        daemons.wait(layout, daemon)


def _check_ports(layout: Layout) -> None:
    """Refuse to start beside somebody else's server."""
    for listener, (host, port) in names.PORTS.items():
        daemon = next(name for name in daemon_names() if listener.startswith(name))
        if daemons.alive(layout, daemon):
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as taken:
                raise LocalError(
                    f"port {port} on {host}, which {listener} needs, is taken ({taken.strerror}). "
                    f"`ss -ltnp 'sport = :{port}'` names who has it; stop that, then `make up` again."
                ) from taken


def _write_cluster_file(layout: Layout) -> None:
    """What the Pulumi program must know of this node; no secret, only where secrets lie."""
    seed = layout.state / "seed"
    if not seed.exists():
        write_private(seed, secrets.token_hex(32))
    content = {
        "kubeconfig": str(layout.admin_kubeconfig),
        "registry": names.REGISTRY,
        "images": str(layout.state / "images.json"),
        "seed": str(seed),
    }
    (layout.state / "cluster.json").write_text(json.dumps(content, indent=2) + "\n")


def _wait_ready(layout: Layout, timeout: float = 90.0) -> None:
    deadline = time.monotonic() + timeout
    api = client(layout)
    problem = "it has not registered"
    while time.monotonic() < deadline:
        try:
            if objects.node_ready(api):
                return
        except KubeError as error:
            problem = str(error)
        time.sleep(0.2)
    raise LocalError(f"{names.NAME} is not Ready after {timeout:.0f} s: {problem}. See {layout.logs / 'kubelet.log'}.")


def _remember_host(layout: Layout) -> None:
    """Note which folders outside the state were there before, so that only ours are removed."""
    memory = layout.run / "foreign.json"
    if not memory.exists():
        absent = [path for path in (*FOREIGN_FOLDERS, *FOREIGN_FILES) if not Path(path).exists()]
        memory.write_text(json.dumps(absent))


def _remove_foreign(layout: Layout) -> None:
    memory = layout.run / "foreign.json"
    for path in json.loads(memory.read_text()) if memory.exists() else []:
        _unmount(Path(path))
        if path in FOREIGN_FOLDERS:
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)


def _mounts(below: Path) -> list[str]:
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in points if Path(point).is_relative_to(below)]


def _unmount(below: Path) -> None:
    """Detach all mounts below a folder, the deepest first."""
    for point in sorted(_mounts(below), key=len, reverse=True):
        run(["umount", "--lazy", point], check=False)
