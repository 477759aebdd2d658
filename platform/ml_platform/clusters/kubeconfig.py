"""A kubeconfig of the user, reduced to one context, made independent of its folder, and checked.

The stack keeps that one context with its user and cluster, and drops everything else in the file, fields that change by
themselves included. The checks don't ask the cluster, so that a preview already reports problems. Credentials never
appear in messages.
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
WHOLE = "`kubectl config view --raw --flatten --minify` prints a kubeconfig that has everything inside"
_CERTIFICATES = ("certificate-authority", "client-certificate", "client-key")
_CREDENTIALS = ("client-certificate-data", "exec", "token", "tokenFile", "username")

Entry = dict[str, Any]


def complete(text: str, folder: Path | None, context: str | None) -> str:
    """The kubeconfig with one context only, and the cluster and the user that it names.

    Certificates and keys in files are embedded. A token file and a command, whose credentials others renew, are kept by
    their absolute paths.

    Args:
        text: the text of a kubeconfig.
        folder: the folder of its file, where paths start; None where the text comes from elsewhere.
        context: the name of the context; None is the current one.

    Raises:
        SettingsError: the text is no kubeconfig, lacks the context, or its credentials are missing or expired.
    """
    document = _parse(text)
    name = _chosen(document, context)
    chosen = _named(document, "context", name, name)
    parts = {
        kind: _portable(_named(document, kind, chosen[kind], name), folder)
        for kind in ("cluster", "user")
        if chosen.get(kind)
    }
    if "cluster" not in parts:
        raise SettingsError(f"Context {name!r} of the kubeconfig names no cluster. {_choose_another(document)}")
    found = _text(name, chosen, parts)
    try:
        connection = Connection.from_kubeconfig(found)
    except KubeconfigError as unusable:
        raise SettingsError(f"Context {name!r} of the kubeconfig can't be used: {unusable}.") from unusable
    _check(connection, name)
    return found


def _text(name: str, context: Entry, parts: Mapping[str, Entry]) -> str:
    """That of a kubeconfig with this context alone."""
    kept = {key: context[key] for key in ("cluster", "user", "namespace") if context.get(key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": kept["cluster"], "cluster": parts["cluster"]}],
        "users": [{"name": kept["user"], "user": parts["user"]}] if "user" in parts else [],
        "contexts": [{"name": name, "context": kept}],
        "current-context": name,
    }
    return json.dumps(document, sort_keys=True, default=str)


def _chosen(document: Entry, context: str | None) -> str:
    """The context that the settings name, or else the current one."""
    names = _names(document, "context")
    wanted = context or document.get("current-context")
    if wanted in names:
        return str(wanted)
    if context:
        why = f"{CONTEXT} is {context!r}, and the kubeconfig has no such context"
    elif wanted:
        why = f"The kubeconfig's current context is {wanted!r}, which it does not have"
    else:
        why = f"{CONTEXT} is not set, and the kubeconfig has no current context"
    raise SettingsError(f"{why}. {_choose_another(document)}")


def _choose_another(document: Entry) -> str:
    names = ", ".join(_names(document, "context")) or "none"
    return f"Its contexts: {names}. Choose one with:\n  pulumi config set --path '{CONTEXT}' <context>"


def _names(document: Entry, kind: str) -> list[str]:
    return [str(entry["name"]) for entry in document.get(f"{kind}s") or []]


def _named(document: Entry, kind: str, name: str, context: str) -> Entry:
    """The one entry of the given kind and name; `context` is the context that names it, for messages."""
    found = [entry.get(kind) or {} for entry in document.get(f"{kind}s") or [] if entry["name"] == name]
    if not found:
        there = ", ".join(_names(document, kind)) or "none"
        raise SettingsError(
            f"Context {context!r} of the kubeconfig names the {kind} {name!r}, which it does not have (there: {there})."
            f" {_choose_another(document)}"
        )
    if len(found) > 1:
        raise SettingsError(
            f"The kubeconfig has the {kind} {name!r} {len(found)} times, and nobody can tell which one is meant. "
            f"Remove all but one: `kubectl config get-{kind}s` lists them."
        )
    return dict(found[0]) if isinstance(found[0], Mapping) else {}


def _portable(entry: Entry, folder: Path | None) -> Entry:
    """The entry with files embedded and paths made absolute. The `extensions` of tools, which change by themselves, are
    dropped."""
    entry.pop("extensions", None)
    for key in [key for key in _CERTIFICATES if entry.get(key) or entry.get(f"{key}-data")]:
        path = entry.pop(key, None)
        entry[f"{key}-data"] = entry.get(f"{key}-data") or _encoded(key, _absolute(key, path, folder))
        _decoded(f"{key}-data", entry[f"{key}-data"])
    if entry.get("tokenFile"):
        entry["tokenFile"] = str(_absolute("tokenFile", entry["tokenFile"], folder))
    run = entry.get("exec")
    if run and not run.get("command"):
        raise SettingsError(f"The kubeconfig's exec names no command that gives credentials. {RENEW}.")
    if run and os.sep in run["command"]:
        entry["exec"] = {**run, "command": str(_absolute("exec command", run["command"], folder))}
    return entry


def _absolute(key: str, path: str, folder: Path | None) -> Path:
    if folder is None and not Path(path).is_absolute():
        raise SettingsError(
            f"The kubeconfig's {key} is {path!r}, a path from the folder of its file, and this one comes as a text. "
            f"{WHOLE}."
        )
    return Path(folder or "/", path)


def _encoded(key: str, path: Path) -> str:
    return base64.b64encode(_read(key, path)).decode()


def _decoded(key: str, text: Any) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError, AttributeError):
        raise SettingsError(f"The kubeconfig's {key} is not base64. {WHOLE}.") from None


def _read(key: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as unreadable:
        raise SettingsError(
            f"The kubeconfig's {key} is {str(path)!r}, which can't be read here: {unreadable.strerror}. {WHOLE}."
        ) from unreadable


def _parse(text: str) -> Entry:
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as broken:  # its message shows the line, which may hold a secret
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise SettingsError(f"The kubeconfig is not YAML: {broken.problem} in line {line}.") from None
    except yaml.YAMLError:
        raise SettingsError(f"The kubeconfig is not YAML: it has characters that no text has. {WHOLE}.") from None
    if not isinstance(document, dict) or "clusters" not in document:
        raise SettingsError(f"The kubeconfig has no clusters. {WHOLE}.")
    for plural in ("clusters", "contexts", "users"):
        entries = document.get(plural) or []
        if not isinstance(entries, list) or not all(isinstance(each, dict) and each.get("name") for each in entries):
            raise SettingsError(f"The kubeconfig's {plural} are not a list of entries that each have a name. {WHOLE}.")
    return document


def _check(connection: Connection, context: str) -> None:
    user = connection.user.entry
    if connection.server.startswith("https:") and not any(user.get(key) for key in _CREDENTIALS):
        raise SettingsError(
            f"The user of context {context!r} of the kubeconfig has no credentials: none of {', '.join(_CREDENTIALS)}. "
            f"{RENEW}."
        )
    if "exec" in user:
        _check_command(user["exec"])
    if (end := _expiry(user)) and end < datetime.datetime.now(datetime.UTC):
        raise SettingsError(
            f"The credentials of context {context!r} of the kubeconfig ended on {end:%Y-%m-%d %H:%M} UTC. {RENEW}."
        )


def _check_command(run: Mapping[str, Any]) -> None:
    command = str(run["command"])
    if shutil.which(command) is None:
        hint = str(run.get("installHint") or "Install it, or take a kubeconfig of another kind").strip().rstrip(".")
        raise SettingsError(f"The command {command} is not on PATH: the kubeconfig asks it for credentials. {hint}.")


def _expiry(user: Mapping[str, Any]) -> datetime.datetime | None:
    """The end of validity of the client certificate or the token; None where neither states one."""
    if data := user.get("client-certificate-data"):
        from cryptography import x509  # slow to load; most kubeconfigs have a token or a command

        try:
            return x509.load_pem_x509_certificate(_decoded("client-certificate-data", data)).not_valid_after_utc
        except ValueError:
            return None
    path = user.get("tokenFile")
    token = _read("tokenFile", Path(path)).decode(errors="replace") if path else str(user.get("token") or "")
    claims = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        known = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return datetime.datetime.fromtimestamp(known["exp"], datetime.UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError):
        return None
