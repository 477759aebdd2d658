"""Who may do what on the node and on the platform."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ml_local.node import layout as names
from ml_local.node.layout import layout
from ml_platform.kube import KubeError
from support import dns, machine
from support.control_plane import Authority

pytestmark = pytest.mark.usefixtures("platform")
PLATFORM_NAMESPACES = ("gateway", "knative-serving", "kserve", "mlflow", "models", "storage")

PAGES = {
    "kube-apiserver": ("/api/v1/secrets", "/version"),
    "kubelet": ("/pods", "/run/default/x/y"),
    "kube-controller-manager": ("/metrics",),
    "kube-scheduler": ("/metrics",),
    "registry": ("/v2/", "/v2/pause/manifests/1"),
    "etcd": ("/health", "/version"),
    "etcd-peer": ("/members", "/version"),
}
OF_THEIR_OWN = ("registry", "etcd", "etcd-peer")  # whom no certificate of the API opens


@pytest.mark.parametrize("certificate", ["no certificate", "somebody's", "the API's"])
@pytest.mark.parametrize("server", PAGES)
def test_nothing_of_the_node_answers_a_stranger(server: str, certificate: str, tmp_path: Path) -> None:
    tls = _stranger()
    if certificate == "somebody's":
        tls.load_cert_chain(*Authority(tmp_path).files("admin", hosts=["localhost"]))
    elif certificate == "the API's" and server in OF_THEIR_OWN:
        tls.load_cert_chain(layout().pki / "admin.crt", layout().pki / "admin.key")
    for path in PAGES[server]:
        assert _status(server, "GET", path, tls) in {None, 401, 403}, path
        assert _status(server, "GET", path, None) in {None, 400}, path


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v2/pause/blobs/uploads/"), ("DELETE", "/v2/pause/manifests/1")]
)
def test_nobody_without_a_certificate_changes_an_image(method: str, path: str) -> None:
    assert _status("registry", method, path, _stranger()) is None


def test_the_nodes_dns_gives_a_stranger_neither_the_whole_zone_nor_a_way_out() -> None:
    transfer, address = 252, 1
    assert dns.answers(names.CLUSTER_DOMAIN, transfer) == 0
    assert dns.answers("example.com", address) == 0
    assert dns.answers(f"kubernetes.default.svc.{names.CLUSTER_DOMAIN}", address) == 1


def test_private_files_are_for_root_alone() -> None:
    state = layout().state
    assert not state.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    secret = [*state.glob("pki/*.key"), *state.glob("config/*.kubeconfig"), state / "seed", state / "pulumi/passphrase"]
    loose = [path for path in secret if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    assert len(secret) > 5
    assert loose == []
    for place in ("", "logs/kubelet.log", "data/registry", "data/volumes", "images.json"):
        assert (state / place).exists()
        seen = subprocess.run(["ls", state / place], user=65534, group=65534, capture_output=True, check=False)
        assert seen.returncode != 0, place


def test_the_manager_of_models_reads_nobodys_secrets() -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {"name": ""},
        "spec": {
            "user": "system:serviceaccount:kserve:kserve-controller-manager",
            "resourceAttributes": {"namespace": "models", "verb": "get", "resource": "secrets"},
        },
    }
    answer = machine.client().request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=review)
    assert answer["status"]["allowed"] is False


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


HELD = {
    "runAsNonRoot": True, "runAsUser": 65532, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
SIZED = {"requests": {"cpu": "10m"}, "limits": {"memory": "16Mi"}}
BY_TAG = {"name": "shell", "image": "registry.test/shell:1", "resources": SIZED, "securityContext": HELD}
MADE_BY_HAND = {
    "a pod": (
        {"apiVersion": "v1", "kind": "Pod", "spec": {"automountServiceAccountToken": False, "containers": [BY_TAG]}},
        "container shell runs image 'registry.test/shell:1', which can change under its name",
    ),
    "a role": (
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}],
        },
        "rule 1 has `*` in verbs (secrets); list what is needed",
    ),
}


@pytest.mark.parametrize("name", MADE_BY_HAND)
def test_what_the_policies_refuse_nobody_makes_by_hand_beside_the_models(name: str) -> None:
    item, said = MADE_BY_HAND[name]
    for namespace, refused in {"models": True, "default": False}.items():
        made = {**item, "metadata": {"name": "by-hand", "namespace": namespace}}
        try:
            machine.client().create(made, field_manager="somebody", dry_run=True)
            answer = ""
        except KubeError as error:
            answer = error.message
        assert (said in answer) is refused, f"{namespace}: {answer}"


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


def test_nothing_listens_beyond_loopback_and_nothing_unknown_on_the_bridge() -> None:
    ours = {int(pid) for pid in _group_members()}
    inodes = {inode for pid in ours for inode in _sockets(pid)}
    heard: dict[str, set[str]] = {"loopback": set(), "bridge": set(), "beyond": set()}
    for table, listens in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for row in Path(f"/proc/1/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            address, port = fields[1].split(":")
            if fields[3] == listens and fields[9] in inodes:
                heard[_reach(address)].add(f"{table[:3]} {int(port, 16)}")
    assert heard["beyond"] == set()
    tables = (("tcp", names.PORTS), ("udp", names.DATAGRAM_PORTS))
    known = {f"{table} {port}" for table, ports in tables for host, port in ports.values() if host == names.ADDRESS}
    assert heard["bridge"] == known
    assert heard["loopback"]


def _reach(address: str) -> str:
    """How far an address is heard, in the kernel's hexadecimal notation."""
    if (address.endswith("7F") and len(address) == 8) or address == f"{'0' * 24}01000000":
        return "loopback"
    return "bridge" if address == "0100620A" else "beyond"


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


def _stranger() -> ssl.SSLContext:
    """TLS as somebody who has no certificate, and asks for none."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return tls


def _status(server: str, method: str, path: str, tls: ssl.SSLContext | None) -> int | None:
    """What a server answers; None where it ends the connection without an answer."""
    address = names.PORTS[server]
    connection = http.client.HTTPConnection(*address, timeout=5)
    plain = socket.create_connection(address, 5)
    try:
        connection.sock = tls.wrap_socket(plain) if tls else plain
        connection.request(method, path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
        plain.close()
