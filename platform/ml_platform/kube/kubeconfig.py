"""One connection from a kubeconfig (text, or a path): address, trust and credentials.

The module reads what kubectl reads: certificates and tokens inline or in files, exec plugins, basic authentication.
Proxies come from `proxy-url` only, never from the environment; the legacy auth providers are refused.
"""

import base64
import datetime
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class KubeconfigError(ValueError):
    """A kubeconfig gives no connection; the message says what is missing or broken."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One cluster as one user. `namespace` is the default of the context."""

    server: str
    namespace: str = "default"
    cluster: dict[str, Any] = field(default_factory=dict)
    user: "User"
    base: Path = Path()

    @classmethod
    def from_kubeconfig(cls, kubeconfig: str, context: str | None = None, cluster: str | None = None) -> "Connection":
        """`kubeconfig` is the text (YAML or JSON) or a path; `cluster` overrides the context's cluster."""
        document, base = _read(kubeconfig)
        name = context or document.get("current-context")
        chosen = _named(document, "contexts", "context", name) if name or not cluster else {}
        cluster_name = cluster or chosen.get("cluster")
        entry = _named(document, "clusters", "cluster", cluster_name)
        if not entry.get("server"):
            raise KubeconfigError(f"cluster {cluster_name!r} of the kubeconfig has no server")
        user = _named(document, "users", "user", chosen["user"]) if chosen.get("user") else {}
        return cls(
            server=entry["server"].rstrip("/"),
            namespace=chosen.get("namespace") or "default",
            cluster=entry,
            user=User(user, base),
            base=base,
        )

    def ssl_context(self) -> ssl.SSLContext:
        """Trust in the cluster's authority, and the user's certificate if there is one."""
        authority = _data_or_file(self.cluster, "certificate-authority", self.base)
        try:
            context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        except (ssl.SSLError, ValueError) as broken:
            raise KubeconfigError(f"the kubeconfig's certificate-authority is no certificate: {broken}") from broken
        if self.cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        certificate, key = self.user.certificate()
        if certificate and key:
            _load_pair(context, certificate, key)
        return context


class User:
    """The user of a connection. Tokens from files and exec plugins are renewed when they expire."""

    def __init__(self, entry: dict[str, Any], base: Path) -> None:
        if "auth-provider" in entry:
            name = entry["auth-provider"].get("name")
            raise KubeconfigError(f"auth-provider {name!r} was removed from Kubernetes; use an exec plugin")
        self.entry = entry
        self._base = base
        self._lock = threading.Lock()
        self._issued: dict[str, Any] = {}
        self._expires = 0.0

    def certificate(self) -> tuple[bytes | None, bytes | None]:
        issued = self._credential() if "exec" in self.entry else {}
        if issued.get("clientCertificateData"):
            return issued["clientCertificateData"].encode(), issued["clientKeyData"].encode()
        return (
            _data_or_file(self.entry, "client-certificate", self._base),
            _data_or_file(self.entry, "client-key", self._base),
        )

    def headers(self) -> dict[str, str]:
        entry = self.entry
        token = entry.get("token")
        if entry.get("tokenFile"):
            token = _content("tokenFile", self._base / entry["tokenFile"]).decode(errors="replace").strip()
        elif "exec" in entry:
            token = self._credential().get("token")
        if token:
            return {"Authorization": f"Bearer {token}"}
        if "username" in entry:
            pair = f"{entry['username']}:{entry.get('password', '')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return {}

    def forget(self) -> bool:
        """Discards a credential that was refused; true if another one can be had."""
        with self._lock:
            self._issued = {}
        return "exec" in self.entry

    def _credential(self) -> dict[str, Any]:
        with self._lock:
            if not self._issued or time.time() > self._expires:
                self._issued = _run_exec(self.entry["exec"], self._base)
                until = self._issued.get("expirationTimestamp")
                self._expires = datetime.datetime.fromisoformat(until).timestamp() - 30 if until else float("inf")
            return self._issued


def default_kubeconfig() -> str:
    """The path of the kubeconfig that kubectl would use: the first file of KUBECONFIG that exists, or ~/.kube/config.

    Raises:
        KubeconfigError: there is no such file.
    """
    listed = os.environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in listed.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    for path in paths:
        if path.is_file():
            return str(path)
    raise KubeconfigError(f"no kubeconfig: none given, and {' and '.join(map(str, paths))} is not there")


def _read(kubeconfig: str) -> tuple[dict[str, Any], Path]:
    base = Path()
    text = kubeconfig
    if "\n" not in kubeconfig.strip() and not kubeconfig.lstrip().startswith("{"):
        path = Path(kubeconfig.strip()).expanduser()
        if not path.is_file():
            raise KubeconfigError(f"no kubeconfig at {path}: give an existing file, or the text itself")
        text, base = _content("text", path).decode(errors="replace"), path.resolve().parent
    document = _parse(text)
    if not isinstance(document, dict) or not isinstance(document.get("clusters"), list):
        raise KubeconfigError("the kubeconfig is not a mapping with clusters, contexts and users")
    return document, base


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        import yaml  # slow to import, and JSON does not need it

        try:
            return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        except yaml.YAMLError as error:
            raise KubeconfigError(f"the kubeconfig is neither JSON nor YAML: {error}") from error


def _named(document: dict[str, Any], plural: str, singular: str, name: str | None) -> dict[str, Any]:
    entries = {entry.get("name"): entry.get(singular) or {} for entry in document.get(plural) or []}
    if name not in entries:
        there = ", ".join(sorted(str(key) for key in entries)) or "none"
        raise KubeconfigError(f"the kubeconfig has no {singular} {name!r} (there: {there})")
    found: dict[str, Any] = entries[name]
    return found


def _data_or_file(entry: dict[str, Any], key: str, base: Path) -> bytes | None:
    if entry.get(f"{key}-data"):
        try:
            return base64.b64decode(entry[f"{key}-data"])
        except ValueError as broken:
            raise KubeconfigError(f"the kubeconfig's {key}-data is not base64: {broken}") from broken
    return _content(key, base / entry[key]) if entry.get(key) else None


def _content(key: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as unreadable:
        raise KubeconfigError(f"the kubeconfig's {key} {path} can't be read: {unreadable.strerror}") from unreadable


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Loads the client certificate from a temporary file, since OpenSSL takes files only. Nobody else can read the
    file, and it is deleted at once."""
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(certificate.rstrip() + b"\n" + key)
        pair.flush()
        try:
            context.load_cert_chain(pair.name)
        except (ssl.SSLError, OSError) as broken:
            raise KubeconfigError(f"the kubeconfig's client-certificate and client-key don't fit: {broken}") from broken


def _run_exec(spec: dict[str, Any], base: Path) -> dict[str, Any]:
    command = spec["command"]
    if os.sep in command:
        command = str(base / command)
    info = {"apiVersion": spec["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    environment.update({pair["name"]: pair["value"] for pair in spec.get("env") or []})
    try:
        done = subprocess.run(
            [command, *(spec.get("args") or [])], env=environment, capture_output=True, timeout=60, check=True
        )
        status: dict[str, Any] = json.loads(done.stdout)["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
        hint = spec.get("installHint") or ""
        raise KubeconfigError(
            f"the kubeconfig's exec plugin {command} gave no credential: {error} {said} {hint}".strip()
        ) from error
    return status
