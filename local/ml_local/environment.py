"""What a shell needs so that pulumi, kubectl, mlflow and boto3 find this machine's platform.

Owns the names and values; `make env` prints them. Secrets are named by file, never by value.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from ml_local import engine, paths, toolchains
from ml_local.node import layout as names
from ml_local.node.layout import Layout

STACK = "local"
GATEWAY = "http://127.0.0.1:8080"
# What no proxy leads to: this machine, its names and the node's addresses.
DIRECT = ("localhost", ".localhost", names.LOOPBACK, names.ADDRESS, names.POD_RANGE, names.SERVICE_RANGE)
IMPORT_ROOTS = ("platform", "workloads", "local", "local/engine", "policies")


def variables(layout: Layout) -> dict[str, str]:
    """Name and value of each variable; PATH and PYTHONPATH are whole."""
    commands = [toolchains.binary(name).parent for name in ("pulumi", "kubectl")]
    search = [*map(str, commands), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    roots = [str(paths.checkout() / root) for root in IMPORT_ROOTS]
    pulumi = layout.state / "pulumi"
    mirror = paths.mirror()
    exempt = ",".join(_without_repeats([*_of_user("no_proxy").split(","), *DIRECT]))
    return {
        **({"ML_PLATFORM_MIRROR": str(mirror)} if mirror else {}),
        "NO_PROXY": exempt,
        "no_proxy": exempt,
        "PATH": ":".join(_without_repeats(":".join(search).split(":"))),
        "PYTHONPATH": ":".join(roots),
        engine.CHECKOUT: str(paths.checkout()),
        "ML_PLATFORM_STATE": str(layout.state),
        "ML_PLATFORM_CACHE": str(paths.cache()),
        "ML_PLATFORM_RENDERINGS": os.environ.get("ML_PLATFORM_RENDERINGS") or str(paths.cache() / "renderings"),
        "KUBECONFIG": str(layout.admin_kubeconfig),
        "PULUMI_HOME": str(pulumi / "home"),
        # Without a file of attributes beside each: that one is not replaced whole, and half of it is no state at all.
        "PULUMI_BACKEND_URL": f"file://{pulumi / 'backend'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(pulumi / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_CREDENTIAL_STORE": "plaintext",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        "PULUMI_ERROR_OUTPUT_STRING": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": GATEWAY,
        "AWS_SHARED_CREDENTIALS_FILE": str(layout.state / "aws" / "credentials"),
        "AWS_CONFIG_FILE": str(layout.state / "aws" / "config"),
    }


def shell(layout: Layout) -> str:
    """Lines for `eval "$(make env)"`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables(layout).items())


def _of_user(name: str) -> str:
    """A variable that is written in small or in large letters."""
    return os.environ.get(name) or os.environ.get(name.upper()) or ""


def _without_repeats(words: list[str]) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in words if word.strip()))
