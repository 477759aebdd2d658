"""A real API server for tests: etcd, kube-apiserver and kube-controller-manager on loopback, in a folder of their own.

No scheduler, kubelet or network: pods stay pending unless a test plays their part (see `fake_kubelet`).
"""

import json
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from ml_local.toolchains import binary
from ml_platform.kube import Client, KubeError

START_SECONDS = 60


class ControlPlane:
    """Use as a context manager; `kubeconfig` is the administrator's, as text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._rest: frozenset[str] = frozenset()
        self._authority = Authority(folder)
        etcd, peer, self._port = free_ports(3)
        self._etcd = [f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}"]
        self.server = f"https://127.0.0.1:{self._port}"

    def __enter__(self) -> "ControlPlane":
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> str:
        certificate, key = self._authority.issue("admin", organisation="system:masters")
        user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
        cluster = {"server": self.server, "certificate-authority-data": _encoded(self._authority.certificate)}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "admin", "user": user}],
            }
        )

    def client(self) -> Client:
        return Client.from_kubeconfig(self.kubeconfig)

    @contextmanager
    def scratch(self) -> Iterator[Client]:
        """A client to work with; whatever is made meanwhile is gone afterwards, past finalizers and controllers: as if
        from an empty prefix of etcd, but in milliseconds."""
        before = self._keys_at_rest()
        try:
            yield self.client()
        finally:
            for key in self._keys() - before:
                self._ask_etcd("deleterange", {"key": key})

    def stop(self) -> None:
        """Nothing is worth a clean end, which takes the API server ten seconds."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._processes.clear()

    def _start(self) -> None:
        client_url, peer_url = self._etcd
        self._run(
            "etcd",
            data_dir=self.folder / "etcd",
            name="test",
            listen_client_urls=client_url,
            advertise_client_urls=client_url,
            listen_peer_urls=peer_url,
            initial_advertise_peer_urls=peer_url,
            initial_cluster=f"test={peer_url}",
            unsafe_no_fsync="true",
        )
        certificate, key = self._authority.files("apiserver", hosts=["127.0.0.1", "localhost"])
        signing = self.folder / "service-account.key"
        signing.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1())))
        self._run(
            "kube-apiserver",
            etcd_servers=client_url,
            bind_address="127.0.0.1",
            secure_port=self._port,
            tls_cert_file=certificate,
            tls_private_key_file=key,
            client_ca_file=self._authority.path,
            authorization_mode="RBAC",
            service_cluster_ip_range="10.97.0.0/24",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_signing_key_file=signing,
            service_account_key_file=signing,
            endpoint_reconciler_type="none",
            allow_privileged="true",
            anonymous_auth="false",
        )
        kubeconfig = self.folder / "admin.kubeconfig"
        kubeconfig.write_text(self.kubeconfig)
        self._until_ready()
        self._run(
            "kube-controller-manager",
            kubeconfig=kubeconfig,
            service_account_private_key_file=signing,
            root_ca_file=self._authority.path,
            leader_elect="false",
            secure_port=0,
            bind_address="127.0.0.1",
            concurrent_namespace_syncs=10,
            controllers="*,-node-lifecycle-controller,-taint-eviction-controller",
        )
        self._until_accounts()

    def _keys_at_rest(self) -> frozenset[str]:
        """All keys, once the API server has made what it starts with; asked for once."""
        while not self._rest:
            keys = self._keys()
            time.sleep(1)
            self._rest = keys if keys == self._keys() else frozenset()
        return self._rest

    def _keys(self) -> frozenset[str]:
        everything = {"key": b64encode(b"/").decode(), "range_end": b64encode(b"0").decode(), "keys_only": True}
        return frozenset(each["key"] for each in self._ask_etcd("range", everything)["kvs"])

    def _ask_etcd(self, verb: str, body: dict[str, Any]) -> Any:
        return urllib3.request("POST", f"{self._etcd[0]}/v3/kv/{verb}", json=body).json()

    def _run(self, name: str, /, **flags: Any) -> None:
        command = [str(binary(name)), *(f"--{key.replace('_', '-')}={value}" for key, value in flags.items())]
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder))

    def _until_ready(self) -> None:
        client = self.client()
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            for process in self._processes:
                assert process.poll() is None, f"{process.args!r} ended; its log is in {self.folder}"
            try:
                client.request("GET", "/apis/apps/v1")
                client.get("v1", "Namespace", "default")
                return
            except KubeError:
                time.sleep(0.1)
        raise TimeoutError(f"no API server after {START_SECONDS} s; logs are in {self.folder}")

    def _until_accounts(self) -> None:
        """Pods are refused before the controller manager has made the account that they run as."""
        client = self.client()
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if client.list("v1", "ServiceAccount", "default"):
                return
            time.sleep(0.1)
        raise TimeoutError(f"no controller manager after {START_SECONDS} s; logs are in {self.folder}")


class Authority:
    """A certificate authority for one control plane."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        built = _builder(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self._certificate = built.sign(self._key, hashes.SHA256())
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)
        self.path = folder / "ca.crt"
        self.path.write_bytes(self.certificate)

    def issue(self, name: str, *, organisation: str = "", hosts: list[str] | None = None) -> tuple[bytes, bytes]:
        """(certificate, key), for a client and, with `hosts`, for a server."""
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organisation:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        built = _builder(x509.Name(parts), self._name, key).add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if hosts:
            names = [_general_name(host) for host in hosts]
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = built.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)

    def files(self, name: str, *, hosts: list[str]) -> tuple[Path, Path]:
        certificate, key = self.issue(name, hosts=hosts)
        paths = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        for path, content in zip(paths, (certificate, key), strict=True):
            path.write_bytes(content)
        return paths


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _encoded(data: bytes) -> str:
    return b64encode(data).decode()
