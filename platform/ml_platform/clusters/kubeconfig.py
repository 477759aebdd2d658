"""A kubeconfig as somebody gives it: made to mean the same from anywhere, and refused where it can't work.

All of that without asking the cluster, so that a preview says it already. Credentials are looked at, never shown.
"""

import base64
import binascii
import datetime
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ml_platform.configuration import SettingsError
from ml_platform.kube import Connection, KubeconfigError

CONTEXT = "ml-platform:cluster.context"
RENEW = "Log in to the cluster again, or ask whoever runs it for a new kubeconfig"
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_CREDENTIALS = ("client-certificate", "client-certificate-data", "exec", "token", "tokenFile", "username")


def complete(text: str, folder: Path, context: str | None) -> str:
    """A kubeconfig that means the same from anywhere: absolute paths, and `context` as the current one.

    Raises:
        SettingsError: it is none, has no such context, or leads nowhere with credentials that are good.
    """
    document = _parse(text)
    contexts = [each["name"] for each in document.get("contexts") or []]
    wanted = context or document.get("current-context")
    if wanted is None or wanted not in contexts:
        raise SettingsError(
            f"{CONTEXT} is {wanted!r}; the kubeconfig has {', '.join(contexts) or 'none'}. Set it "
            f"with:\n  pulumi config set --path '{CONTEXT}' <context>"
        )
    for entry in [*(document["clusters"] or []), *(document.get("users") or [])]:
        for part in (entry.get("cluster"), entry.get("user")):
            for key in set(_FILES) & set(part or {}):
                part[key] = str(folder / part[key])
        run = (entry.get("user") or {}).get("exec")
        if run and os.sep in run["command"]:
            run["command"] = str(folder / run["command"])
    found = json.dumps({**document, "current-context": wanted})
    try:
        connection = Connection.from_kubeconfig(found)
    except KubeconfigError as unusable:
        raise SettingsError(f"Context {wanted!r} of the kubeconfig can't be used: {unusable}.") from unusable
    _check(connection, wanted)
    return found


def _parse(text: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as broken:  # its own words would show the line, which may hold a secret
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise SettingsError(f"The kubeconfig is not YAML: {broken.problem} in line {line}.") from None
    if not isinstance(document, dict) or "clusters" not in document:
        raise SettingsError(
            "The kubeconfig has no clusters: give what `kubectl config view --raw --flatten --minify` prints."
        )
    return document


def _check(connection: Connection, context: str) -> None:
    user = connection.user.entry
    for part in (connection.cluster, user):
        for key in [key for key in _FILES if key in part and not os.access(part[key], os.R_OK)]:
            raise SettingsError(
                f"The kubeconfig's {key} is {part[key]!r}, which can't be read here. `kubectl config view --raw "
                "--flatten --minify` prints a kubeconfig that has everything inside."
            )
    if connection.server.startswith("https:") and not any(user.get(key) for key in _CREDENTIALS):
        raise SettingsError(
            f"The user of context {context!r} of the kubeconfig has no credentials: none of {', '.join(_CREDENTIALS)}. "
            f"{RENEW}."
        )
    if "exec" in user:
        _check_command(user["exec"])
    if (end := _end(user)) and end < datetime.datetime.now(datetime.UTC):
        raise SettingsError(
            f"The credentials of context {context!r} of the kubeconfig ended on {end:%Y-%m-%d %H:%M} UTC. {RENEW}."
        )


def _check_command(run: Mapping[str, Any]) -> None:
    command = str(run["command"])
    if shutil.which(command) is None:
        hint = str(run.get("installHint") or "Install it, or take a kubeconfig of another kind").strip().rstrip(".")
        raise SettingsError(f"The command {command} is not on PATH: the kubeconfig asks it for credentials. {hint}.")


def _end(user: Mapping[str, Any]) -> datetime.datetime | None:
    """Until when a client certificate or a token is good, where it says so itself."""
    if pem := _content(user, "client-certificate"):
        from cryptography import x509  # slow to load, and most have a token or a command

        try:
            return x509.load_pem_x509_certificate(pem).not_valid_after_utc
        except ValueError:
            return None
    token = user.get("token") or (Path(user["tokenFile"]).read_text() if user.get("tokenFile") else "")
    claims = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        known = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return datetime.datetime.fromtimestamp(known["exp"], datetime.UTC)
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None


def _content(user: Mapping[str, Any], key: str) -> bytes:
    if data := user.get(f"{key}-data"):
        return base64.b64decode(data)
    return Path(user[key]).read_bytes() if user.get(key) else b""
