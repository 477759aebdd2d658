"""The machine as a user has it: `make`, and the commands that `make env` makes available."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ml_local import environment, paths
from ml_local.node.layout import layout
from ml_platform.kube import Client

STACK_FILE = paths.checkout() / "stacks" / "Pulumi.local.yaml"
Done = subprocess.CompletedProcess[str]


def make(*words: str, timeout: float = 1800, env: Mapping[str, str] | None = None) -> Done:
    """`make ...` in the checkout, standard error with the output."""
    return run(["make", "--no-print-directory", *words], timeout, {**os.environ, **(env or {})})


def start(*words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`make ...` in a session of its own, to be interrupted or killed."""
    return _start(["make", "--no-print-directory", *words], {**os.environ, **(env or {})})


def tool(*words: str, timeout: float = 300) -> Done:
    """A command as after `eval "$(make env)"`."""
    return run(list(words), timeout, {**os.environ, **environment.variables(layout())})


def client() -> Client:
    """The administrator's client of the node."""
    return Client.from_kubeconfig(str(layout().admin_kubeconfig))


def outputs() -> dict[str, Any]:
    """The outputs of the stack `local`."""
    done = tool("pulumi", "stack", "output", "--stack", "local", "--json")
    assert done.returncode == 0, done.stdout
    return dict(json.loads(done.stdout))


def images() -> dict[str, str]:
    """References of what was built, as the node's registry has it, by our short names."""
    found = json.loads((layout().state / "cluster.json").read_text())["images"]
    return dict(json.loads(Path(found).read_text()))


def settings(area: str, changes: Mapping[str, Any], folder: Path, base: Path = STACK_FILE) -> Path:
    """A copy of the stack's file in which `changes` are laid over `ml-platform:<area>`."""
    content = copy.deepcopy(yaml.safe_load(base.read_text()))
    key = f"ml-platform:{area}"
    content["config"][key] = _laid_over(content["config"].get(key, {}), changes)
    path = folder / base.name
    path.write_text(yaml.safe_dump(content))
    return path


def up(config_file: Path | None = None, timeout: float = 600) -> Done:
    """Plain `pulumi up --stack local`, with other settings if given."""
    return tool(*_up_words(config_file), timeout=timeout)


def start_up(config_file: Path) -> subprocess.Popen[str]:
    """The same, going on while the test does."""
    return _start(_up_words(config_file), {**os.environ, **environment.variables(layout())})


def destroy(config_file: Path | None = None, timeout: float = 600) -> Done:
    """Plain `pulumi destroy --stack local`; the node stays."""
    other = ["--config-file", str(config_file)] if config_file else []
    words = ("pulumi", "destroy", "--stack", "local", "--yes", "--skip-preview", "--non-interactive")
    return tool(*words, *other, timeout=timeout)


def _up_words(config_file: Path | None) -> list[str]:
    other = ["--config-file", str(config_file)] if config_file else []
    return ["pulumi", "up", "--stack", "local", "--yes", "--skip-preview", "--non-interactive", *other]


def _start(words: list[str], env: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words,
        cwd=paths.checkout(),
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(words: Sequence[str], timeout: float, env: Mapping[str, str], folder: Path | None = None) -> Done:
    """A command in the checkout, or in a folder, standard error with the output."""
    return subprocess.run(
        words,
        cwd=folder or paths.checkout(),
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def _laid_over(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return {**below, **{name: _laid_over(below.get(name), value) for name, value in above.items()}}
