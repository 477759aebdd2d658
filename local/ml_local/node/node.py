"""Starts, stops and removes the node. Owns the order; the parts own the how.

`start` can be called at any time, also after a crash, a reboot or a killed start: it does what is missing.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable, Sequence

from ml_platform.kube import Client, KubeError

from ml_local.errors import LocalError
from ml_local.node import cgroup, commands, config, daemons, host, keeper, network, objects, pki, surroundings
from ml_local.node import layout as names
from ml_local.node.layout import Layout
from ml_local.private import check_ours, claim, write_private

Progress = Callable[[str], None]


def start(layout: Layout, progress: Progress) -> None:
    """Bring the node to Ready.

    Raises:
        LocalError: something is in the way, a daemon does not come up, or the node is not Ready in time.
    """
    surroundings.check(layout)
    claim(layout.state)
    for folder in (layout.run, layout.data, layout.logs, layout.data / "kubelet"):
        folder.mkdir(parents=True, exist_ok=True)
    keeper.make_places(layout)
    cgroup.create(names.CGROUP, cgroup.DAEMONS)
    network.up(layout)
    anew = pki.write(layout)
    config.write(layout)
    _write_cluster_file(layout)
    if anew or not daemons.current(layout, keeper.keeper(layout)):
        _end_processes(layout, grace=10.0)  # they trust the last authority, or live in the last keeper's view
    _start(layout, [keeper.keeper(layout)], progress)
    _start(layout, commands.infrastructure(layout), progress)
    _start(layout, [commands.api_server(layout)], progress)
    objects.apply(layout, client(layout))
    begun = time.time()
    started = _start(layout, commands.control_plane(layout), progress)
    progress("waiting for the node to be Ready")
    _wait_ready(layout, since=begun if "kubelet" in started else 0.0)


def running(layout: Layout) -> bool:
    """Whether all daemons live."""
    return all(daemons.alive(layout, name) for name in daemon_names())


def stop(layout: Layout, *, grace: float = 10.0) -> None:
    """End all processes, and with them their mounts, undo the network; the data stays.

    Raises:
        LocalError: the machine has the node of another state folder.
    """
    if other := host.holder(layout.state):
        raise LocalError(
            f"the node of this machine is that of {other}, not of {layout.state}: `ML_PLATFORM_STATE={other} make stop`"
        )
    _end_processes(layout, grace)
    network.down()
    cgroup.remove()
    keeper.remove_places(layout)
    shutil.rmtree(layout.run, ignore_errors=True)


def destroy(layout: Layout) -> None:
    """Stop it and remove all its data. A node of another state folder goes on.

    Raises:
        LocalError: something is left; the message names it. Or the state folder is somebody else's; nothing was done.
    """
    check_ours(layout.state)
    if host.holder(layout.state) is None:
        stop(layout, grace=1.0)
    shutil.rmtree(layout.state, ignore_errors=True)
    if left := leftovers(layout):
        raise LocalError("left behind:\n" + "\n".join(f"  {line}" for line in left) + "\nTry `make down` again.")


def leftovers(layout: Layout) -> list[str]:
    """What of the node is still on the machine, in words; empty after `destroy`."""
    left = [f"folder {layout.state}"] if layout.state.exists() else []
    if host.holder(layout.state):
        return left
    left += [f"process {pid}" for pid in sorted(cgroup.processes())]
    left += [f"control group {names.CGROUP}"] if cgroup.exists() else []
    return left + network.leftovers()


def client(layout: Layout) -> Client:
    """The administrator's client."""
    return Client.from_kubeconfig(str(layout.admin_kubeconfig))


def daemon_names() -> list[str]:
    """All daemons in the order of their start; known also when nothing is built."""
    return [keeper.NAME, *names.DAEMONS]


def _start(layout: Layout, group: Sequence[daemons.Daemon], progress: Progress) -> set[str]:
    """Start them and wait for them; the names of those that did not run."""
    started = {daemon.name for daemon in group if daemons.start(layout, daemon)}
    for daemon in group:
        progress(f"waiting for {daemon.name}")
        daemons.wait(layout, daemon)
    return started


def _end_processes(layout: Layout, grace: float) -> None:
    for name in ("kubelet", "kube-controller-manager", "kube-scheduler"):
        daemons.stop(layout, name, grace=3.0)
    cgroup.end(cgroup.pods(), grace)
    for name in reversed(daemon_names()):
        daemons.stop(layout, name)
    cgroup.end(cgroup.processes(), 5.0)


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
    write_private(layout.state / "cluster.json", json.dumps(content, indent=2) + "\n")


def _wait_ready(layout: Layout, since: float, timeout: float = 90.0) -> None:
    """Wait until the kubelet has said so after a moment (seconds since the epoch), not before its last end."""
    deadline = time.monotonic() + timeout
    api = client(layout)
    problem = "it has not registered"
    while time.monotonic() < deadline:
        try:
            if objects.node_ready(api, since):
                return
        except KubeError as error:
            problem = str(error)
        time.sleep(0.2)
    raise LocalError(f"{names.NAME} is not Ready after {timeout:.0f} s: {problem}. See {layout.logs / 'kubelet.log'}.")
