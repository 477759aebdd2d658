"""The user's own login to a registry, as `docker login`, `podman login` and `buildah login` leave it.

Reads Docker's config.json and the containers' auth.json, credential helpers included. Writes and prints none of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_local.errors import LocalError

HUB = "docker.io"
HUB_KEY = "https://index.docker.io/v1/"  # what `docker login` calls its default
TOKEN_USER = "<token>"  # noqa: S105 - by which a helper says that its secret is an identity token


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user and their password, or an identity token that a registry's token server takes instead."""

    user: str
    password: str = field(repr=False)
    identity: bool = False


def of(host: str, repository: str = "") -> Login | None:
    """The login to `host`, or to the closest folder of `repository` on it; None where there is none.

    Raises:
        LocalError: a file of logins can't be read, or a credential helper is missing.
    """
    for path in files():
        content = _read(path)
        if found := _in(content, host, repository):
            return found
    return None


def files() -> Iterator[Path]:
    """Where logins are looked for, the first one that knows the registry wins."""
    home = Path.home()
    if named := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if folder := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(folder) / "containers" / "auth.json"
    yield Path(f"/run/containers/{os.getuid()}/auth.json")
    yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"
    yield Path(os.environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _in(content: Mapping[str, Any], host: str, repository: str) -> Login | None:
    key = HUB_KEY if host == HUB else host
    helper = content.get("credHelpers", {}).get(host) or content.get("credsStore")
    if helper and (found := _ask(helper, key)):
        return found
    auths = content.get("auths", {})
    for name in (*_folders(host, repository), key, f"https://{host}", f"https://{host}/"):
        if entry := auths.get(name):
            return _entry(entry)
    return None


def _folders(host: str, repository: str) -> Iterator[str]:
    """`host/a/b`, `host/a`, `host`: a containers' auth.json may hold a login for each."""
    parts = [host, *repository.split("/")] if repository else [host]
    yield from ("/".join(parts[:length]) for length in range(len(parts), 0, -1))


def _entry(entry: Mapping[str, str]) -> Login | None:
    if token := entry.get("identitytoken"):
        return Login(user=TOKEN_USER, password=token, identity=True)
    if "username" in entry:
        return Login(user=entry["username"], password=entry.get("password", ""))
    try:
        user, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Login(user=user, password=password.rstrip("\0")) if user else None


def _ask(helper: str, key: str) -> Login | None:
    command = f"docker-credential-{helper}"
    try:
        done = subprocess.run([command, "get"], input=key, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise LocalError(
            f"the login to {key} is kept by {command}, which is not on PATH. Install it, or log in again without it"
        ) from missing
    if done.returncode != 0:
        return None  # it knows no such registry
    found = json.loads(done.stdout)
    return Login(user=found["Username"], password=found["Secret"], identity=found["Username"] == TOKEN_USER)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except ValueError as broken:
        raise LocalError(f"{path}, which has logins to registries, is not JSON: {broken}") from broken
    return content if isinstance(content, dict) else {}
