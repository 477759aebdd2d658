"""The provider's own configuration: its inputs first, then the documented environment variables."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_platform.kube.kubeconfig import Connection, KubeconfigError, default_kubeconfig

SECONDS = 60.0  # for one request: a chain of slow webhooks may take most of it
PREFIX = "kubernetes:config:"
UNSUPPORTED = ("renderYamlToDirectory", "alwaysRender")

_FLAGS = {
    "server_side_apply": ("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", True),
    "patch_force": ("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE", False),
    "upsert": ("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS", False),
    "config_map_mutable": ("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", False),
    "secret_mutable": ("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE", False),
    "delete_unreachable": ("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE", False),
    "skip_update_unreachable": ("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE", False),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Parsed, not yet connected: an unusable kubeconfig is an error of the first call that needs a cluster."""

    connection: Connection | None = None
    unusable: str = ""
    namespace: str = "default"
    timeout: float = SECONDS
    server_side_apply: bool = True
    patch_force: bool = False
    upsert: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    await_all: bool = field(default_factory=lambda: os.environ.get("PULUMI_K8S_AWAIT_ALL") == "true")

    @classmethod
    def parse(cls, variables: Mapping[str, str]) -> "Settings":
        given = {key.removeprefix(PREFIX): value for key, value in variables.items()}
        flags = {name: _flag(given, *spec) for name, spec in _FLAGS.items()}
        connection, unusable = None, ""
        try:
            connection = connection_of(given)
        except (KubeconfigError, OSError, ValueError) as error:
            unusable = str(error)
        namespace = given.get("namespace") or (connection.namespace if connection else "default")
        return cls(connection=connection, unusable=unusable, namespace=namespace, timeout=_timeout(given), **flags)


def connection_of(given: Mapping[str, Any]) -> Connection:
    kubeconfig = given.get("kubeconfig") or default_kubeconfig()
    if not isinstance(kubeconfig, str):
        kubeconfig = json.dumps(kubeconfig)
    return Connection.from_kubeconfig(kubeconfig, given.get("context") or None, given.get("cluster") or None)


def refusals(given: Mapping[str, Any], *, default_provider: bool) -> list[tuple[str, str]]:
    """(property, reason) for each input that cannot be honoured."""
    found = [
        (name, f"{name} needs the official pulumi-resource-kubernetes plugin; unset it, or install that plugin")
        for name in UNSUPPORTED
        if given.get(name) and given[name] != "false"
    ]
    if given.get("strictMode", _project_config().get("strictMode")) in (True, "true"):
        if default_provider:
            found.append(("", "strict mode prohibits default provider"))
        found += [
            (name, f'strict mode requires Provider "{name}" argument')
            for name in ("kubeconfig", "context")
            if not given.get(name)
        ]
    return found


def _flag(given: Mapping[str, str], name: str, variable: str, default: bool) -> bool:
    value = given.get(name, os.environ.get(variable))
    return default if value is None else value == "true"


def _timeout(given: Mapping[str, str]) -> float:
    settings = json.loads(given.get("kubeClientSettings") or "{}")
    return float(settings.get("timeout") or os.environ.get("PULUMI_K8S_CLIENT_TIMEOUT") or SECONDS)


def _project_config() -> dict[str, Any]:
    config: dict[str, Any] = json.loads(os.environ.get("PULUMI_CONFIG") or "{}")
    return config
