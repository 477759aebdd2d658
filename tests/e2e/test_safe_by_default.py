"""Who may do what on the node and on the platform."""

from __future__ import annotations

import re
import ssl
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from ml_local.node import layout as names
from ml_local.node.layout import layout
from support import machine

pytestmark = pytest.mark.usefixtures("platform")
PLATFORM_NAMESPACES = ("gateway", "knative-serving", "kserve", "mlflow", "models", "storage")


@pytest.mark.parametrize(
    "url",
    [
        f"{names.API_URL}/api/v1/secrets",
        f"{names.API_URL}/version",
        f"https://{names.ADDRESS}:10250/pods",
        f"https://{names.ADDRESS}:10250/run/default/x/y",
    ],
)
def test_nothing_of_the_node_answers_a_stranger(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=5, context=_trust())
    assert refused.value.code in {401, 403}


def test_the_database_of_the_cluster_wants_a_certificate() -> None:
    with pytest.raises((urllib.error.URLError, OSError)):
        urllib.request.urlopen(f"{names.ETCD_URL}/health", timeout=5, context=_trust())


def test_private_files_are_for_root_alone() -> None:
    state = layout().state
    secret = [*state.glob("pki/*.key"), *state.glob("config/*.kubeconfig"), state / "seed", state / "pulumi/passphrase"]
    loose = [path for path in secret if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    assert len(secret) > 5
    assert loose == []


def test_no_container_runs_as_root_or_with_more_rights_than_it_needs() -> None:
    problems = []
    for pod in _pods():
        name = pod["metadata"]["name"]
        shared = pod["spec"].get("securityContext", {})
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
            own = container.get("securityContext", {})
            where = f"{name}/{container['name']}"
            if not own.get("runAsNonRoot", shared.get("runAsNonRoot")):
                problems.append(f"{where} may run as root")
            if own.get("privileged") or own.get("allowPrivilegeEscalation", True):
                problems.append(f"{where} may gain privileges")
            if own.get("capabilities", {}).get("drop") != ["ALL"]:
                problems.append(f"{where} keeps capabilities")
    assert problems == []


def test_every_image_is_named_by_its_digest() -> None:
    images = {
        c["image"] for pod in _pods() for c in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    }
    assert images
    assert [image for image in images if "@sha256:" not in image] == []


def test_every_container_has_bounds() -> None:
    unbounded = [
        f"{pod['metadata']['name']}/{container['name']}"
        for pod in _pods()
        for container in pod["spec"]["containers"]
        if "memory" not in container.get("resources", {}).get("limits", {})
        or not container.get("resources", {}).get("requests")
    ]
    assert unbounded == []


def test_no_role_of_ours_has_a_wildcard() -> None:
    client = machine.client()
    api = "rbac.authorization.k8s.io/v1"
    roles = [r for kind in ("ClusterRole", "Role") for r in client.list(api, kind)]
    ours = [r for r in roles if "kubernetes.io/bootstrapping" not in r["metadata"].get("labels", {})]
    wild = [
        r["metadata"]["name"]
        for r in ours
        for rule in r.get("rules") or []
        if "*" in [*rule.get("verbs", []), *rule.get("resources", []), *rule.get("apiGroups", [])]
    ]
    assert len(ours) > 5
    assert wild == []


def test_no_password_is_in_plain_sight() -> None:
    seed = (layout().state / "seed").read_text()
    secret = {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}/{key}": _text(value)
        for each in machine.client().list("v1", "Secret")
        for key, value in (each.get("data") or {}).items()
        if not key.endswith(".crt")
    }
    assert {"mlflow/postgres/password", "storage/s3/root", "storage/s3/workloads"} <= secret.keys()
    needles = {seed, *(value for value in secret.values() if len(value) > 15)}
    places: dict[str, str] = {
        f"configmap {c['metadata']['name']}": repr(c.get("data")) for c in machine.client().list("v1", "ConfigMap")
    }
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            places[f"arguments of {process.parent.name}"] = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
    for path in [*(layout().state / "logs").glob("*.log"), *(layout().state / "pulumi/backend").rglob("*.json")]:
        places[str(path)] = path.read_text(errors="replace")
    assert [place for place, text in places.items() if any(needle in text for needle in needles)] == []


def test_nothing_listens_beyond_loopback_and_the_bridge() -> None:
    ours = {int(pid) for pid in _group_members()}
    inodes = {inode for pid in ours for inode in _sockets(pid)}
    wide = []
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/1/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and fields[9] in inodes and not _near(fields[1].split(":")[0]):
                wide.append(fields[1])
    assert wide == []


def _near(address: str) -> bool:
    """Loopback or the bridge, in the kernel's hexadecimal notation."""
    return (address.endswith("7F") and len(address) == 8) or address == "0100620A" or address.endswith("01000000")


def _group_members() -> set[int]:
    from ml_local.node import cgroup

    return cgroup.processes(cgroup.DAEMONS)


def _sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink()))
        except OSError:
            continue
        found |= {match[1]} if match else set()
    return found


def _pods() -> list[dict[str, Any]]:
    return [pod for space in PLATFORM_NAMESPACES for pod in machine.client().list("v1", "Pod", space)]


def _text(encoded: str) -> str:
    import base64

    return base64.b64decode(encoded).decode(errors="replace")


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(layout().pki / "ca.crt"))
