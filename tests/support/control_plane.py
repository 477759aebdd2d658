"""etcd and kube-apiserver on loopback: a real API server in seconds, without a node and without controllers.

For tests only. RBAC and default admission are on; the one user is an administrator.
"""

import base64
import datetime
import ipaddress
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from ml_local.toolchains import binary

from ml_platform.kube import Client, KubeError

DEADLINE = 60.0


@contextmanager
def control_plane(folder: Path, *flags: str) -> Iterator[str]:
    """Starts both with their data in `folder`; yields an administrator's kubeconfig as text; stops both.

    `flags` go to the API server, for example to switch admission plugins off.
    """
    certificates = _certificates(folder)
    etcd, peer, api = _free_ports(3)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(_start(folder, "etcd", _etcd_flags(folder, etcd, peer)))
        processes.append(_start(folder, "kube-apiserver", [*_api_flags(folder, etcd, api), *flags]))
        kubeconfig = _kubeconfig(f"https://127.0.0.1:{api}", certificates)
        _wait(kubeconfig, processes, folder)
        yield kubeconfig
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in reversed(processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _etcd_flags(folder: Path, port: int, peer: int) -> list[str]:
    client, between = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    return [
        f"--data-dir={folder / 'etcd'}", f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={between}", f"--initial-advertise-peer-urls={between}",
        f"--initial-cluster=default={between}", "--unsafe-no-fsync", "--log-level=error",
    ]  # fmt: skip


def _api_flags(folder: Path, etcd: int, port: int) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", f"--secure-port={port}",
        f"--tls-cert-file={folder / 'server.crt'}", f"--tls-private-key-file={folder / 'server.key'}",
        f"--client-ca-file={folder / 'ca.crt'}", "--authorization-mode=RBAC", "--anonymous-auth=false",
        f"--service-account-key-file={folder / 'server.key'}",
        f"--service-account-signing-key-file={folder / 'server.key'}",
        "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.99.0.0/24",
        "--endpoint-reconciler-type=none", "--allow-privileged",
    ]  # fmt: skip


def _start(folder: Path, name: str, flags: Sequence[str]) -> "subprocess.Popen[bytes]":
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen([binary(name), *flags], stdout=log, stderr=log, env={**os.environ, "GOMAXPROCS": "2"})


def _wait(kubeconfig: str, processes: Sequence["subprocess.Popen[bytes]"], folder: Path) -> None:
    client = Client.from_kubeconfig(kubeconfig)
    end = time.monotonic() + DEADLINE
    while True:
        try:
            # The namespace appears with the hook that comes last.
            client.get("v1", "Namespace", "default")
            return
        except KubeError as error:
            if time.monotonic() > end or any(process.poll() is not None for process in processes):
                logs = "\n".join(path.read_text()[-1000:] for path in folder.glob("*.log"))
                raise RuntimeError(f"The control plane did not come up: {error}\n{logs}") from error
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _certificates(folder: Path) -> dict[str, str]:
    """Writes CA and serving certificate; returns what the administrator's kubeconfig needs, as PEM."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, ca = _sign("test-ca", None)
    server_key, server = _sign("kube-apiserver", (ca, ca_key))
    user_key, user = _sign("admin", (ca, ca_key), organization="system:masters")
    (folder / "ca.crt").write_bytes(_pem(ca))
    (folder / "server.crt").write_bytes(_pem(server))
    (folder / "server.key").write_bytes(_key(server_key))
    return {"ca": _pem(ca).decode(), "certificate": _pem(user).decode(), "key": _key(user_key).decode()}


def _sign(
    common_name: str,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    organization: str = "tests",
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ])  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[0].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        builder = builder.add_extension(usages, critical=False)
    return key, builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _kubeconfig(server: str, pem: dict[str, str]) -> str:
    data = {name: base64.b64encode(text.encode()).decode() for name, text in pem.items()}
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [
            {"name": "test", "cluster": {"server": server, "certificate-authority-data": data["ca"]}}
        ],
        "users": [
            {"name": "admin", "user": {"client-certificate-data": data["certificate"], "client-key-data": data["key"]}}
        ],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    })  # fmt: skip


