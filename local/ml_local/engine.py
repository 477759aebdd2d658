"""Puts the engine's plugins where the Pulumi command looks for them.

Owns where they lie and how they start. The plugins themselves are `local/engine/`; an official Kubernetes plugin that
is installed already is taken instead of ours (one on PATH the command finds by itself).
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

KUBERNETES = "resource-kubernetes-v4.32.0"
EXEC = "pulumi-language-python-exec"

CHECKOUT = "ML_PLATFORM_CHECKOUT"
"""The variable that says whose code the launchers run."""

# What our launchers carry, and nobody else's: how a later install knows that it may overwrite one.
MARK = "# made by ml_local.engine"


def install(cache_bin: Path, pulumi_home: Path, script: Path, official: Path | None = None) -> None:
    """The launchers beside `cache_bin`/pulumi, and the Kubernetes plugin of `pulumi_home`, which keeps no logs: the
    official one where it is there already or in the home of Pulumi `official`, else ours.

    `script` is the SDK's own EXEC, which runs a program and lies beside the command that was built.
    """
    _write(cache_bin / "pulumi-language-python", _launcher("language_host.__main__", repr(str(script))))
    _write(cache_bin / "pulumi-resource-pulumi-python", _dynamic())
    _install_kubernetes(_plugin(pulumi_home), _plugin(official) if official else None)
    _without_logs(pulumi_home)


def _plugin(pulumi_home: Path) -> Path:
    return pulumi_home / "plugins" / KUBERNETES / "pulumi-resource-kubernetes"


def _install_kubernetes(plugin: Path, official: Path | None) -> None:
    """A folder of plugins has to be a real one; what lies in it may be a link."""
    if plugin.exists() and not _is_ours(plugin):
        return
    if official and official.is_file() and not _is_ours(official):
        plugin.parent.mkdir(parents=True, exist_ok=True)
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(official)
    else:
        _write(plugin, _launcher("kubernetes_provider.__main__", ""))


def _without_logs(pulumi_home: Path) -> None:
    """Every command writes all that it does, at debug level and compressed, into its folder `logs`: nearly half of the
    processor time that it takes itself. No setting is against it, but without that folder it goes on without."""
    logs = pulumi_home / "logs"
    if not logs.exists():
        pulumi_home.mkdir(parents=True, exist_ok=True)
        logs.touch()


def _is_ours(plugin: Path) -> bool:
    with plugin.open("rb") as file:
        return MARK.encode() in file.read(200)


def _launcher(module: str, argument: str) -> str:
    """The code is that of the caller's checkout: launchers lie in a cache that many share.
    Import paths go in by hand: an exported PYTHONPATH would reach the programs that a plugin starts."""
    roots = "root + '/local/engine', root + '/platform'"
    code = f"import os, sys; root = os.environ['{CHECKOUT}']; sys.path[:0] = [{roots}]; "
    command = shlex.join([sys.executable, "-P", "-c", f"{code}from {module} import main; main({argument})"])
    named = f"${{{CHECKOUT}-}}"
    return (
        f"#!/bin/sh\n{MARK}\n"
        f'if [ ! -d "{named}/local/engine" ]; then\n'
        f'    echo "error: {CHECKOUT}={named} is no checkout of this project; in one, make env says what to set" >&2\n'
        "    exit 1\n"
        "fi\n"
        f'exec {command} "$@"\n'
    )


def _dynamic() -> str:
    """Dynamic resources run in the program's interpreter: its virtual environment, else this one."""
    python = shlex.quote(sys.executable)
    return (
        f"#!/bin/sh\n{MARK}\n"
        'if [ -n "${PULUMI_RUNTIME_VIRTUALENV:-}" ]; then\n'
        '    PULUMI_PYTHON_CMD="${PULUMI_RUNTIME_VIRTUALENV%/}/bin/python"\n'
        "fi\n"
        f'exec "${{PULUMI_PYTHON_CMD:-{python}}}" -u -m pulumi.dynamic "$@"\n'
    )


def _write(path: Path, text: str) -> None:
    """Executable, whole or not at all, and untouched where it says so already."""
    if path.is_file() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    partial.chmod(0o755)
    partial.replace(path)
