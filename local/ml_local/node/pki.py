"""Certificates for everything on the node: one authority, one key pair a party, no token that others can read.

Owns `pki/` and the kubeconfigs made of it. Leaves are renewed at the start that finds less than a month left;
the authority lives ten years and is made once.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ml_local.node import layout as names
from ml_local.node.layout import Layout
from ml_local.private import write_private

AUTHORITY_LIFE = dt.timedelta(days=3650)
LEAF_LIFE = dt.timedelta(days=365)
RENEW_BEFORE = dt.timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Party:
    """One certificate: who it names and where it serves."""

    file: str
    common_name: str
    organisation: str = ""
    serves: Sequence[str] = ()


API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
PARTIES = (
    Party(file="apiserver", common_name="kube-apiserver",
          serves=(names.ADDRESS, names.API_SERVICE_ADDRESS, names.LOOPBACK, *API_NAMES)),
    Party(file="etcd", common_name="etcd", serves=(names.LOOPBACK,)),
    Party(file="apiserver-etcd", common_name="kube-apiserver-etcd-client"),
    Party(file="apiserver-kubelet", common_name="kube-apiserver-kubelet-client", organisation="system:masters"),
    Party(file="kubelet", common_name=f"system:node:{names.NAME}", organisation="system:nodes",
          serves=(names.ADDRESS, names.NAME)),
    Party(file="registry", common_name="registry", serves=(names.ADDRESS,)),
    Party(file="controller-manager", common_name="system:kube-controller-manager", serves=(names.LOOPBACK,)),
    Party(file="scheduler", common_name="system:kube-scheduler", serves=(names.LOOPBACK,)),
    Party(file="kube-proxy", common_name="system:kube-proxy"),
    Party(file="coredns", common_name="ml-platform:coredns"),
    Party(file="admin", common_name="admin", organisation="system:masters"),
)  # fmt: skip
USERS = ("kubelet", "controller-manager", "scheduler", "kube-proxy", "coredns")


def write(layout: Layout) -> None:
    """Make what is missing or about to expire, and the kubeconfigs."""
    layout.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    key, authority = _authority(layout.pki)
    for party in PARTIES:
        if not _still_good(layout.pki / f"{party.file}.crt", authority):
            _issue(layout.pki, party, key, authority)
    if not (layout.pki / "service-account.key").exists():
        _write_key(layout.pki / "service-account.key", ec.generate_private_key(ec.SECP256R1()))
    layout.config.mkdir(parents=True, exist_ok=True, mode=0o700)
    for user in USERS:
        write_private(layout.kubeconfig(user), kubeconfig(layout.pki, user))
    write_private(layout.admin_kubeconfig, kubeconfig(layout.pki, "admin"))


def kubeconfig(pki: Path, party: str) -> str:
    """A kubeconfig that holds the client certificate of one party."""

    def embed(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": names.API_URL, "certificate-authority-data": embed("ca.crt")}
    user = {"client-certificate-data": embed(f"{party}.crt"), "client-key-data": embed(f"{party}.key")}
    context = {"cluster": "ml-platform", "user": party}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "ml-platform", "cluster": cluster}],
            "users": [{"name": party, "user": user}],
            "contexts": [{"name": "ml-platform", "context": context}],
            "current-context": "ml-platform",
        }
    )


def _authority(pki: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, certificate_file = pki / "ca.key", pki / "ca.crt"
    if key_file.exists() and certificate_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we wrote it
        return key, x509.load_pem_x509_certificate(certificate_file.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ml-platform")])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _unsigned(name, name, key, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key, certificate


def _issue(pki: Path, party: Party, authority_key: ec.EllipticCurvePrivateKey, authority: x509.Certificate) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, party.common_name)]
    if party.organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, party.organisation))
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _unsigned(x509.Name(attributes), authority.subject, key, LEAF_LIFE)
    if party.serves:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(n) for n in party.serves]), critical=False)
    certificate = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False).sign(
        authority_key, hashes.SHA256()
    )
    _write_key(pki / f"{party.file}.key", key)
    (pki / f"{party.file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + life)
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _still_good(path: Path, authority: x509.Certificate) -> bool:
    if not path.exists() or not path.with_suffix(".key").exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > RENEW_BEFORE


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    write_private(path, pem.decode())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
