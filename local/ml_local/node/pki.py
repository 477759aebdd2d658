"""Certificates for everything on the node: three authorities, one key pair a party, no token that others can read.

Owns `pki/` and the kubeconfigs made of it. The API, its database and the image registry have an authority each, so
that a certificate that opens the API, or that the API signs, opens neither of the other two. What has less than a month
left, or can't be read, is made anew at the next start; a new authority renews all that it signs.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
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
    authority: str = "ca"
    organisation: str = ""
    serves: Sequence[str] = ()


AUTHORITIES = {"ca": "ml-platform", "etcd-ca": "ml-platform etcd", "registry-ca": "ml-platform registry"}
API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
PARTIES = (
    Party(file="apiserver", common_name="kube-apiserver",
          serves=(names.ADDRESS, names.API_SERVICE_ADDRESS, names.LOOPBACK, *API_NAMES)),
    Party(file="etcd", authority="etcd-ca", common_name="etcd", serves=(names.LOOPBACK,)),
    Party(file="apiserver-etcd", authority="etcd-ca", common_name="kube-apiserver-etcd-client"),
    Party(file="apiserver-kubelet", common_name="kube-apiserver-kubelet-client", organisation="system:masters"),
    Party(file="kubelet", common_name=f"system:node:{names.NAME}", organisation="system:nodes",
          serves=(names.ADDRESS, names.NAME)),
    Party(file="registry", authority="registry-ca", common_name="registry", serves=(names.ADDRESS,)),
    Party(file="registry-client", authority="registry-ca", common_name="registry-client"),
    Party(file="controller-manager", common_name="system:kube-controller-manager", serves=(names.LOOPBACK,)),
    Party(file="scheduler", common_name="system:kube-scheduler", serves=(names.LOOPBACK,)),
    Party(file="kube-proxy", common_name="system:kube-proxy"),
    Party(file="coredns", common_name="ml-platform:coredns"),
    Party(file="admin", common_name="admin", organisation="system:masters"),
)  # fmt: skip
USERS = ("kubelet", "controller-manager", "scheduler", "kube-proxy", "coredns")


@dataclass(frozen=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def write(layout: Layout) -> bool:
    """Make what is missing, unreadable or about to expire, and the kubeconfigs.

    Returns:
        Whether an authority, or the key by which accounts are known, is new: who runs still trusts the old one.
    """
    anew = False
    for name, common_name in AUTHORITIES.items():
        authority = _read(layout.pki / name)
        if authority is None:
            authority, anew = _make_authority(layout.pki / name, common_name), True
        for party in PARTIES:
            if party.authority == name and not _good(layout.pki / party.file, authority):
                _issue(layout.pki, party, authority)
    anew |= _write_service_account_key(layout.pki / "service-account")
    for user in USERS:
        write_private(layout.kubeconfig(user), kubeconfig(layout.pki, user))
    write_private(layout.admin_kubeconfig, kubeconfig(layout.pki, "admin"))
    return anew


def client_context(pki: Path, party: str) -> ssl.SSLContext:
    """TLS as one party: it shows its certificate, and trusts whom its authority signed."""
    authority = next(each.authority for each in PARTIES if each.file == party)
    context = ssl.create_default_context(cafile=str(pki / f"{authority}.crt"))
    context.load_cert_chain(pki / f"{party}.crt", pki / f"{party}.key")
    return context


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


def _make_authority(path: Path, common_name: str) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
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
    return _write(path, _Pair(key, certificate))


def _issue(pki: Path, party: Party, authority: _Pair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, party.common_name)]
    if party.organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, party.organisation))
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _unsigned(x509.Name(attributes), authority.certificate.subject, key, LEAF_LIFE)
    if party.serves:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(n) for n in party.serves]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    _write(pki / party.file, _Pair(key, builder.sign(authority.key, hashes.SHA256())))


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


def _good(path: Path, authority: _Pair) -> bool:
    pair = _read(path)
    if pair is None:
        return False
    try:
        pair.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, InvalidSignature):
        return False
    return True


def _read(path: Path) -> _Pair | None:
    """The pair of that name; None where it is not there, can't be read, does not fit together or is about to expire."""
    key = _read_key(path)
    try:
        certificate = x509.load_pem_x509_certificate(path.with_suffix(".crt").read_bytes())
        fits = key is not None and certificate.public_key() == key.public_key()
    except (FileNotFoundError, ValueError, UnsupportedAlgorithm):
        return None
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return _Pair(key, certificate) if key is not None and fits and left > RENEW_BEFORE else None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(path.with_suffix(".key").read_bytes(), password=None)
    except (FileNotFoundError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _write(path: Path, pair: _Pair) -> _Pair:
    _write_key(path, pair.key)
    write_private(path.with_suffix(".crt"), pair.certificate.public_bytes(serialization.Encoding.PEM).decode())
    return pair


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    write_private(path.with_suffix(".key"), pem.decode())


def _write_service_account_key(path: Path) -> bool:
    """The API server signs tokens by it, and reads its public half to know its own; whether it is a new one."""
    known = _read_key(path)
    key = known or ec.generate_private_key(ec.SECP256R1())
    _write_key(path, key)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(path.with_suffix(".pub"), public.decode())
    return known is None
