"""Certificates of the node."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from ml_local.node import pki
from ml_local.node.layout import ADDRESS, Layout


@pytest.fixture
def node(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    pki.write(layout)
    return layout


def _certificate(layout: Layout, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes())


def test_one_authority_signs_all(node: Layout) -> None:
    authority = _certificate(node, "ca")
    for party in pki.PARTIES:
        _certificate(node, party.file).verify_directly_issued_by(authority)


def test_keys_and_kubeconfigs_are_for_their_owner_alone(node: Layout) -> None:
    private = [*node.pki.glob("*.key"), *node.config.glob("*.kubeconfig"), node.admin_kubeconfig]
    assert len(private) > len(pki.PARTIES)
    assert [path for path in private if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)] == []


def test_the_api_server_is_named_by_every_address_that_clients_use(node: Layout) -> None:
    names = _certificate(node, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(a) for a in names.get_values_for_type(x509.IPAddress)} == {ADDRESS, "10.99.0.1", "127.0.0.1"}
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


def test_a_second_write_keeps_what_is_good(node: Layout) -> None:
    before = {path.name: path.read_bytes() for path in node.pki.iterdir()}
    pki.write(node)
    assert {path.name: path.read_bytes() for path in node.pki.iterdir()} == before


def test_a_certificate_with_less_than_a_month_left_is_renewed(node: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _certificate(node, "kubelet").serial_number
    monkeypatch.setattr(pki, "RENEW_BEFORE", dt.timedelta(days=366))
    pki.write(node)
    assert _certificate(node, "kubelet").serial_number != before


def test_a_lost_authority_renews_every_leaf(node: Layout) -> None:
    before = _certificate(node, "admin")
    (node.pki / "ca.crt").unlink()
    pki.write(node)
    after = _certificate(node, "admin")
    after.verify_directly_issued_by(_certificate(node, "ca"))
    assert after.serial_number != before.serial_number


def test_a_kubeconfig_holds_the_party_that_it_is_for(node: Layout) -> None:
    content = yaml.safe_load(node.kubeconfig("scheduler").read_text())
    assert content["users"][0]["name"] == "scheduler"
    assert content["clusters"][0]["cluster"]["server"] == f"https://{ADDRESS}:6443"
    assert "token" not in content["users"][0]["user"]


def test_leaves_use_small_fast_keys(node: Layout) -> None:
    assert isinstance(_certificate(node, "apiserver").public_key(), ec.EllipticCurvePublicKey)
