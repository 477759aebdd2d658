"""A Pulumi project in a folder, run through the real command with a file backend, and what its runs did.

Programs are lists of resources as data: one generic program registers them, without loading the typed SDK.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_local import engine, paths

STACK = "test"
SECONDS = 240
GENERIC = Path(__file__).with_name("generic_program.py")


@dataclass(frozen=True)
class Result:
    """What one command did: each resource's operation by its name, the changed paths, and all that was said."""

    ok: bool
    text: str
    steps: Mapping[str, str]
    diffs: Mapping[str, Mapping[str, str]]

    @property
    def changed(self) -> dict[str, str]:
        """Without what stayed the same, the stack itself and providers."""
        return {name: step for name, step in self.steps.items() if step not in ("same", "refresh", "read")}


class Project:
    """One project with one stack; `environment` holds PATH, PULUMI_HOME and the backend."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, program: str | None = None) -> None:
        self.folder = folder
        self.environment = dict(environment)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Pulumi.yaml").write_text(f"name: {folder.name}\nruntime:\n  name: python\n")
        (folder / "__main__.py").write_text(program or GENERIC.read_text())
        self.run("stack", "init", STACK)

    def declare(self, *resources: Mapping[str, Any]) -> "Project":
        (self.folder / "program.json").write_text(json.dumps(list(resources)))
        return self

    def up(self, *flags: str, **environment: str) -> Result:
        return self._operate("up", "--yes", "--skip-preview", *flags, **environment)

    def preview(self, *flags: str, **environment: str) -> Result:
        return self._operate("preview", *flags, **environment)

    def refresh(self, *flags: str, **environment: str) -> Result:
        return self._operate("refresh", "--yes", "--skip-preview", *flags, **environment)

    def destroy(self, *flags: str, **environment: str) -> Result:
        return self._operate("destroy", "--yes", "--skip-preview", *flags, **environment)

    def state(self, name: str) -> dict[str, Any]:
        """The resource's entry in the exported state."""
        exported = json.loads(self.run("stack", "export").stdout)
        found: dict[str, Any] = next(
            each
            for each in exported["deployment"].get("resources", [])
            if each["urn"].endswith(f"::{name}") and not each.get("delete")
        )
        return found

    def names(self) -> set[str]:
        exported = json.loads(self.run("stack", "export").stdout)
        return {each["urn"].rpartition("::")[2] for each in exported["deployment"].get("resources") or []}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Any command; fails the test where the command fails."""
        done = self.start(*arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["pulumi", *arguments, "--non-interactive"],
                cwd=self.folder,
                env={**self.environment, **environment},
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode()[-3000:]
            raise AssertionError(f"pulumi {' '.join(arguments)} took more than {SECONDS} s:\n{said}") from late

    def _operate(self, verb: str, *flags: str, **environment: str) -> Result:
        log = self.folder / "events.json"
        log.unlink(missing_ok=True)
        done = self.start(verb, "--stack", STACK, "--event-log", str(log), *flags, **environment)
        steps: dict[str, str] = {}
        diffs: dict[str, dict[str, str]] = {}
        for line in log.read_text().splitlines() if log.exists() else ():
            _record(json.loads(line), steps, diffs)
        return Result(done.returncode == 0, done.stdout + done.stderr, steps, diffs)


def environment(home: Path, backend: Path, commands: Path) -> dict[str, str]:
    """Nothing of the caller's Pulumi or Kubernetes leaks in."""
    backend.mkdir(parents=True, exist_ok=True)
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PULUMI_", "KUBE")) and key != "PYTHONPATH"
    }
    return {
        **kept,
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        engine.CHECKOUT: str(paths.checkout()),
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_CREDENTIAL_STORE": "plaintext",
        "PULUMI_DEBUG_COMMANDS": "true",
        "KUBECONFIG": os.devnull,
    }


def _record(event: dict[str, Any], steps: dict[str, str], diffs: dict[str, dict[str, str]]) -> None:
    for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
        step = event.get(kind, {}).get("metadata")
        if not step or step["type"].startswith("pulumi:"):
            continue
        name = step["urn"].rpartition("::")[2]
        # A replacement comes as several steps; the first one names it.
        if not steps.get(name, "same").endswith("replace"):
            steps[name] = step["op"].replace("create-replacement", "replace").replace("delete-replaced", "replace")
        if step.get("detailedDiff"):
            found = step["detailedDiff"]
            diffs[name] = {path: change.get("kind", "") for path, change in found.items()}
