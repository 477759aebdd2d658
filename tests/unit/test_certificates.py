"""Webhook certificates: what is issued, and when it is renewed."""

import base64
import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import verification
from ml_platform.bundles import authority, certificates

pytestmark = pytest.mark.unit

NOW = datetime.datetime.now(datetime.UTC)
NAMES = ["webhook.home.svc", "webhook.home.svc.cluster.local"]


def test_the_certificate_is_for_its_names_and_signed_by_the_authority() -> None:
    issued = authority.issue(NAMES, 10)
    leaf = x509.load_pem_x509_certificate(issued["certificate"].encode())
    signer = x509.load_pem_x509_certificate(base64.b64decode(issued["ca_bundle"]))
    leaf.verify_directly_issued_by(signer)
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == NAMES


def test_the_strictest_of_clients_trusts_it() -> None:
    issued = authority.issue(["ml.example.com", "*.models.ml.example.com"], certificates.FOR_BROWSERS)
    leaf = x509.load_pem_x509_certificate(issued["certificate"].encode())
    store = verification.Store(x509.load_pem_x509_certificates(base64.b64decode(issued["ca_bundle"])))
    for name in ("ml.example.com", "iris.models.ml.example.com"):
        client = verification.PolicyBuilder().store(store).build_server_verifier(x509.DNSName(name))
        assert len(client.verify(leaf, [])) == 2


def test_a_renewal_goes_on_trusting_the_previous_authority() -> None:
    first = authority.issue(NAMES, 10)
    second = authority.issue(NAMES, 10, previous=first["authority"])
    trusted = x509.load_pem_x509_certificates(base64.b64decode(second["ca_bundle"]))
    old = x509.load_pem_x509_certificate(first["certificate"].encode())
    assert len(trusted) == 2
    old.verify_directly_issued_by(trusted[1])


@pytest.mark.parametrize(
    ("days", "years"),
    [(certificates.FOR_API_SERVERS, 9.9), (certificates.FOR_BROWSERS, 2.2)],
    ids=["webhook", "gateway"],
)
def test_it_outlives_the_time_in_which_nobody_runs_an_update(days: int, years: float) -> None:
    issued = authority.issue(NAMES, days)
    leaf = x509.load_pem_x509_certificate(issued["certificate"].encode())
    signer = x509.load_pem_x509_certificate(issued["authority"].encode())
    for each in (leaf, signer):
        assert each.not_valid_after_utc - NOW > datetime.timedelta(days=365 * years)
        if days == certificates.FOR_BROWSERS:
            assert each.not_valid_after_utc - each.not_valid_before_utc <= datetime.timedelta(days=825), "Apple's limit"


KNOWN: dict[str, Any] = {"dns_names": NAMES, "days": 300}


@pytest.mark.parametrize(
    ("left", "olds", "due"),
    [
        (101, {}, False),
        (99, {}, True),
        (-1, {}, True),
        (101, {"dns_names": NAMES[:1]}, True),
        (101, {"days": 200}, True),
        (101, {"days": None}, True),  # as an earlier version of the program has left it
    ],
)
def test_the_first_update_in_the_last_third_of_its_life_renews_it(left: int, olds: dict[str, Any], due: bool) -> None:
    end = NOW + datetime.timedelta(days=left)
    known = {**KNOWN, "not_after": end.isoformat(), **olds}
    assert certificates._Provider().diff("", known, KNOWN).changes is due


def test_what_is_renewed_is_no_change_until_it_is_due_again() -> None:
    provider = certificates._Provider()
    made = provider.create(KNOWN).outs or {}
    renewed = provider.update("", made, KNOWN).outs or {}
    assert renewed["fingerprint"] != made["fingerprint"]
    assert not provider.diff("", renewed, KNOWN).changes
