"""A certificate authority for one serving certificate; the authority's key is discarded once it has signed.

This module owns the content of keys and certificates, and their PEM. certificates.py decides how long a certificate is
valid, when it is issued and who trusts it.
"""

import base64
import datetime
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_KEY_USAGE = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def issue(dns_names: Sequence[str], days: int, previous: str = "") -> dict[str, Any]:
    """A new authority and a serving certificate signed by it, valid for `days`: the outputs of a WebhookCertificate.
    `previous` is the PEM of an authority that `ca_bundle` contains as well."""
    end = _now() + datetime.timedelta(days=days)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name(f"{dns_names[0][:50]} issuer")
    ca = (
        _builder(ca_name, ca_name, ca_key, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CA_KEY_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in dns_names])
    leaf = (
        _builder(_name(dns_names[0][:64]), ca_name, key, end)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    authority = _pem(ca)
    return {
        "dns_names": list(dns_names),
        "days": days,
        "certificate": _pem(leaf),
        "private_key": _key_pem(key),
        "authority": authority,
        "ca_bundle": base64.b64encode((authority + previous).encode()).decode(),
        "fingerprint": leaf.fingerprint(hashes.SHA256()).hex(),
        "not_after": end.isoformat(),
    }


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, end: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - datetime.timedelta(hours=1))  # clocks differ
        .not_valid_after(end)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
