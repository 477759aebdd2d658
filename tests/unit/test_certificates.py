"""Webhook certificates: what is issued, and when it is renewed."""

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.x509 import verification
from ml_platform.bundles import authority, certificates

pytestmark = pytest.mark.unit

NAMES = ["webhook.home.svc", "webhook.home.svc.cluster.local"]


def test_the_certificate_is_for_its_names_and_signed_by_the_authority() -> None:
    issued = authority.issue(NAMES)
    leaf = x509.load_pem_x509_certificate(issued["certificate"].encode())
    signer = x509.load_pem_x509_certificate(base64.b64decode(issued["ca_bundle"]))
    leaf.verify_directly_issued_by(signer)
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == NAMES


def test_the_strictest_of_clients_trusts_it() -> None:
    issued = authority.issue(["ml.example.com", "*.models.ml.example.com"])
    leaf = x509.load_pem_x509_certificate(issued["certificate"].encode())
    store = verification.Store(x509.load_pem_x509_certificates(base64.b64decode(issued["ca_bundle"])))
    for name in ("ml.example.com", "iris.models.ml.example.com"):
        client = verification.PolicyBuilder().store(store).build_server_verifier(x509.DNSName(name))
        assert len(client.verify(leaf, [])) == 2


def test_a_renewal_goes_on_trusting_the_previous_authority() -> None:
    first = authority.issue(NAMES)
    second = authority.issue(NAMES, previous=first["authority"])
    trusted = x509.load_pem_x509_certificates(base64.b64decode(second["ca_bundle"]))
    old = x509.load_pem_x509_certificate(first["certificate"].encode())
    assert len(trusted) == 2
    old.verify_directly_issued_by(trusted[1])


@pytest.mark.parametrize(("days", "due"), [(certificates.DAYS_LEFT + 1, False), (certificates.DAYS_LEFT - 1, True)])
def test_it_is_renewed_near_its_end(days: int, due: bool) -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    olds = {"dns_names": NAMES, "not_after": end.isoformat()}
    assert certificates._Provider().diff("", olds, {"dns_names": NAMES}).changes is due
