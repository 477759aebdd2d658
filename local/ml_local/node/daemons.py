"""The node's daemons: how each is started, how it says that it is ready, and in which order.

Owns processes and their records in `run/`; a record names a process by its id and start time, so that a number which
the kernel gave to somebody else after a reboot is never taken for ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ml_local import debian
from ml_local.errors import LocalError
from ml_local.node import cgroup
from ml_local.node.layout import Layout
from ml_local.private import write_private

LOG_TAIL = 12
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One process of the node."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    reads: Sequence[Path] = ()
    timeout: float = 60.0

    @property
    def fingerprint(self) -> str:
        """Changes when the command, its environment or what it reads at start does; then it is started anew."""
        digest = hashlib.sha256(repr((list(self.argv), sorted(self.env.items()))).encode())
        for path in self.reads:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def current(layout: Layout, daemon: Daemon) -> bool:
    """Whether it runs, started as it is declared now."""
    record = _record(layout, daemon.name)
    return record is not None and _alive(record) and record["fingerprint"] == daemon.fingerprint


def start(layout: Layout, daemon: Daemon) -> bool:
    """Start it, or anew if it changed; whether anything was done."""
    if current(layout, daemon):
        return False
    stop(layout, daemon.name)
    log = layout.logs / f"{daemon.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    record_path, fingerprint = _record_path(layout, daemon.name), daemon.fingerprint

    def settle() -> None:
        """Of the child itself, before it becomes the daemon: however `make` ends, no daemon is without a record."""
        cgroup.enter()
        content = {"pid": os.getpid(), "started": _start_time(os.getpid()), "fingerprint": fingerprint}
        write_private(record_path, json.dumps(content))

    with log.open("ab") as output:
        subprocess.Popen(
            list(daemon.argv),
            # Their own: the proxies and the settings of whoever runs `make` are not the node's.
            env={"PATH": f"{debian.root() / 'bin'}:{SYSTEM_PATH}", **daemon.env},
            cwd=layout.state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=settle,
        )
    return True


def wait(layout: Layout, daemon: Daemon) -> None:
    """Wait until it says that it is ready.

    Raises:
        LocalError: it ended, or is not ready in time; with the end of its log.
    """
    deadline = time.monotonic() + daemon.timeout
    while not daemon.ready():
        record = _record(layout, daemon.name)
        dead = record is None or not _alive(record)
        if dead or time.monotonic() > deadline:
            what = "ended" if dead else f"is not ready after {daemon.timeout:.0f} s"
            log = layout.logs / f"{daemon.name}.log"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
            raise LocalError(f"{daemon.name} {what}. The end of {log}:\n{tail}")
        time.sleep(0.1)


def stop(layout: Layout, name: str, grace: float = 10.0) -> None:
    """End it: asked first, killed after `grace` seconds."""
    record = _record(layout, name)
    if record is not None and _alive(record):
        cgroup.end({int(record["pid"])}, grace)
    _record_path(layout, name).unlink(missing_ok=True)


def kill(layout: Layout, name: str) -> None:
    """End it at once, as a crash would; its record stays."""
    record = _record(layout, name)
    if record is not None and _alive(record):
        os.kill(int(record["pid"]), signal.SIGKILL)


def alive(layout: Layout, name: str) -> bool:
    """Whether the process that was last started under this name still runs."""
    return pid(layout, name) is not None


def pid(layout: Layout, name: str) -> int | None:
    """The id of the process that was last started under this name, if it still runs."""
    record = _record(layout, name)
    return int(record["pid"]) if record is not None and _alive(record) else None


def listening(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def listening_at(path: Path) -> bool:
    """Whether something accepts connections at a socket file; the file alone outlives who made it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def healthy(url: str, tls: ssl.SSLContext) -> bool:
    """Whether an HTTPS health page of the node answers 200; it is asked directly, whatever proxies the user has."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _record_path(layout: Layout, name: str) -> Path:
    return layout.run / "daemons" / f"{name}.json"


def _record(layout: Layout, name: str) -> dict[str, str] | None:
    try:
        content = json.loads(_record_path(layout, name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return {key: str(value) for key, value in content.items()}


def _alive(record: Mapping[str, str]) -> bool:
    return _start_time(int(record["pid"])) == record["started"]


def _start_time(pid: int) -> str:
    """The boot's id and the process's start time in ticks; empty if there is no such process, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if fields[0] == "Z" else f"{boot}/{fields[19]}"
