"""The login to the registry that the cluster pulls images from.

This module says where the login comes from and checks its form. Each namespace that the stack declares has it as a
Secret, which the service accounts there name (pods.py, bundles/).
"""

import json
from collections.abc import Callable
from typing import Any

import pulumi

from ml_platform.configuration import PROJECT, SettingsError, require_secret
from ml_platform.settings.platform import LoginSource

NAME = "registry_login"
MAKE = (
    f"docker --config login login <registry> && pulumi config set --secret {PROJECT}:{NAME} < login/config.json && "
    "rm -r login"
)


def chosen(
    source: LoginSource | None, of_cluster: Callable[[], pulumi.Output[str]] | None
) -> pulumi.Output[str] | None:
    """The text of a Docker configuration; None where images are pulled without a login.

    Raises:
        SettingsError: the stack's secret is missing, or the cluster has no registry with a login.
    """
    if source is None:
        return None
    if source == "given":
        given = require_secret(pulumi.Config(), NAME, "a Docker configuration with the login to the images' registry")
        return pulumi.Output.secret(given.apply(_checked))
    if of_cluster is None:
        path = f"{PROJECT}:platform.{NAME}"
        raise SettingsError(
            f"{path} is 'cluster', and this cluster has no login to a registry: source ionos does, with a registry. "
            f"Where nodes may pull by themselves, as on gke and eks, remove it:\n  pulumi config rm --path '{path}'"
        )
    return of_cluster()


def document(registry: str, user: str, password: str) -> str:
    """The text of a Docker configuration with one login."""
    return json.dumps({"auths": {registry: {"username": user, "password": password}}})


def _checked(text: str) -> str:
    logins = _logins(text)
    if not logins:
        raise _refused("it is no Docker configuration with a login: {auths: {<registry>: {auth: ...}}}")
    for registry, login in logins.items():
        if not isinstance(login, dict) or not (login.get("auth") or (login.get("username") and login.get("password"))):
            raise _refused(f"it has no login to {registry}, which Docker may have put into a store of the machine")
    return text


def _logins(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    logins = found.get("auths") if isinstance(found, dict) else None
    return logins if isinstance(logins, dict) else {}


def _refused(why: str) -> SettingsError:
    return SettingsError(f"{PROJECT}:{NAME} can't be used: {why}. Make it with:\n  {MAKE}")
