"""Runs of Pulumi that are measured: a project with a folder and backend of its own, and what each of its runs took.

Memory is the most that a process ever held at once (VmHWM), read while the run goes on. Owns no figure's meaning.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ml_local import environment, paths, toolchains
from ml_local.errors import LocalError
from ml_local.node.layout import Layout

STACK = "bench"
PACK = paths.checkout() / "policies"
REPEATS = 3
POLL = 0.05
ROLES = {
    "pulumi-language-python-exec": "program",
    "kubernetes_provider": "provider",
    "pulumi.dynamic": "dynamic_resources",
}
"""What a command line holds, and what that process is."""


@dataclass(frozen=True)
class Run:
    """What one command took, and how much its processes held at most."""

    seconds: float
    mib: dict[str, int]
    """By role: cli, program, provider, dynamic_resources."""
    output: str


@dataclass(frozen=True)
class Project:
    """A project in `folder` whose program is the text `program`; it sees the node's cluster only."""

    folder: Path
    layout: Layout
    program: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, config: Mapping[str, Any] | None = None) -> None:
        """Make the folder, the backend and the stack with its settings."""
        backend = self.folder / "backend"
        backend.mkdir(parents=True)
        (self.folder / "program").mkdir()
        (self.folder / "program" / "__main__.py").write_text(self.program)
        (self.folder / "Pulumi.yaml").write_text("name: ml-platform\nruntime: python\nmain: program\n")
        (self.folder / "workloads").symlink_to(paths.checkout() / "workloads")  # where scripts of runs are
        self.run("stack", "init", STACK)
        self.configure(config or {})

    def configure(self, config: Mapping[str, Any]) -> None:
        """Give the stack other settings; it keeps its salt."""
        path = self.folder / f"Pulumi.{STACK}.yaml"
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
        path.write_text(yaml.safe_dump({**content, "config": dict(config)}))

    def preview(self) -> Run:
        return self.run("preview", "--stack", STACK)

    def up(self) -> Run:
        return self.run("up", "--stack", STACK, "--yes", "--skip-preview")

    def destroy(self) -> Run:
        return self.run("destroy", "--stack", STACK, "--yes", "--skip-preview")

    def policies(self) -> float:
        """Seconds that the policies add to a preview: with the pack and without it turn by turn, the best of each.

        Findings are remarks here, so that stacks of any contents can be measured.
        """
        settings = self.folder / "policies.json"
        settings.write_text(json.dumps({"all": "advisory"}))
        flags = ("--policy-pack", str(PACK), "--policy-pack-config", str(settings))
        plain, judged = [], []
        for _ in range(REPEATS):
            plain.append(self.preview().seconds)
            judged.append(self.run("preview", "--stack", STACK, *flags).seconds)
        return round(min(judged) - min(plain), 1)

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.run("stack", "output", "--stack", STACK, "--json").output))

    def run(self, *words: str) -> Run:
        """Raises:
        LocalError: it failed, with the last of what it said.
        """
        command = [str(toolchains.binary("pulumi")), *words, "--non-interactive", "--color=never"]
        log = self.folder / "output.log"
        peaks: dict[str, int] = {}
        with log.open("w") as output:
            started = time.monotonic()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            while process.poll() is None:
                for role, mib in _held(process.pid):
                    peaks[role] = max(peaks.get(role, 0), mib)
                time.sleep(POLL)
            seconds = round(time.monotonic() - started, 1)
        text = log.read_text()
        if process.returncode:
            raise LocalError(f"`pulumi {' '.join(words)}` failed while it was measured:\n{text[-3000:]}")
        return Run(seconds, peaks, text)

    def _environment(self) -> dict[str, str]:
        own = {
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": STACK,
        }
        theirs = environment.variables(self.layout)
        del theirs["PULUMI_CONFIG_PASSPHRASE_FILE"]
        return {**os.environ, **theirs, **own, **self.variables}


def _held(top: int) -> Iterator[tuple[str, int]]:
    """Role and peak memory in MiB of `top` and of the processes below it that have a role."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # gone meanwhile
    for pid in parents:
        role = "cli" if pid == top else _role(pid) if _is_below(pid, top, parents) else None
        if role:
            yield role, _peak(pid)


def _is_below(pid: int, top: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == top:
            return True
    return False


def _role(pid: int) -> str | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return None
    return next((role for part, role in ROLES.items() if part in words), None)


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)
