"""Certificates of the node."""

from __future__ import annotations

import datetime as dt
import shutil
import ssl
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from ml_local.node import pki
from ml_local.node.layout import ADDRESS, Layout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = Layout(tmp_path_factory.mktemp("node"))
    pki.write(layout)
    return layout


@pytest.fixture
def node(written: Layout, tmp_path: Path) -> Layout:
    shutil.copytree(written.state, tmp_path, dirs_exist_ok=True)
    return Layout(tmp_path)


def _certificate(layout: Layout, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes())


def test_every_party_is_signed_by_its_authority(node: Layout) -> None:
    for party in pki.PARTIES:
        _certificate(node, party.file).verify_directly_issued_by(_certificate(node, party.authority))


@pytest.mark.parametrize(("server", "client"), [("etcd", "apiserver-etcd"), ("registry", "registry-client")])
def test_who_opens_the_api_opens_neither_its_database_nor_the_registry(node: Layout, server: str, client: str) -> None:
    assert _answers(node, server, client)
    others = {party.file for party in pki.PARTIES if party.authority == "ca"}
    assert "admin" in others
    assert [other for other in others if _answers(node, server, other)] == []


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


@pytest.mark.parametrize("authority", pki.AUTHORITIES)
def test_a_lost_authority_renews_what_it_signs_and_nothing_else(node: Layout, authority: str) -> None:
    before = {party: _certificate(node, party.file).serial_number for party in pki.PARTIES}
    (node.pki / f"{authority}.crt").unlink()
    pki.write(node)
    for party in pki.PARTIES:
        after = _certificate(node, party.file)
        after.verify_directly_issued_by(_certificate(node, party.authority))
        assert (after.serial_number != before[party]) == (party.authority == authority), party.file


@pytest.mark.parametrize("left", ["nothing", "a byte", "half", "all but a line", "rubbish"])
@pytest.mark.parametrize("part", ["ca.crt", "ca.key", "etcd-ca.key", "registry.crt", "admin.key", "service-account.key",
                                  "service-account.pub", "../config/scheduler.kubeconfig"])  # fmt: skip
def test_a_file_of_which_a_crash_has_left_a_part_is_made_anew(node: Layout, part: str, left: str) -> None:
    path = node.pki / part
    whole = path.read_bytes()
    lengths = {"nothing": 0, "a byte": 1, "half": len(whole) // 2, "all but a line": whole[:-1].rindex(b"\n")}
    path.write_bytes(b"\0" * len(whole) if left == "rubbish" else whole[: lengths[left]])
    pki.write(node)
    assert len(path.read_bytes()) > len(whole) * 0.9
    for server, client in (("apiserver", "admin"), ("etcd", "apiserver-etcd"), ("registry", "registry-client")):
        assert _answers(node, server, client)
    signing = serialization.load_pem_private_key((node.pki / "service-account.key").read_bytes(), None)
    known = serialization.load_pem_public_key((node.pki / "service-account.pub").read_bytes())
    assert signing.public_key() == known
    assert yaml.safe_load(node.kubeconfig("scheduler").read_text())["users"]


@pytest.mark.parametrize(
    ("lost", "anew"),
    [
        ("", False),
        ("admin.key", False),
        ("service-account.pub", False),
        ("service-account.key", True),
        ("ca.crt", True),
    ],
)
def test_who_runs_must_start_anew_when_what_they_trust_is_new(node: Layout, lost: str, anew: bool) -> None:
    if lost:
        (node.pki / lost).unlink()
    assert pki.write(node) is anew


def test_a_certificate_of_another_key_is_made_anew(node: Layout) -> None:
    (node.pki / "registry.key").write_bytes((node.pki / "etcd.key").read_bytes())
    pki.write(node)
    assert _answers(node, "registry", "registry-client")


def test_a_kubeconfig_holds_the_party_that_it_is_for(node: Layout) -> None:
    content = yaml.safe_load(node.kubeconfig("scheduler").read_text())
    assert content["users"][0]["name"] == "scheduler"
    assert content["clusters"][0]["cluster"]["server"] == f"https://{ADDRESS}:6443"
    assert "token" not in content["users"][0]["user"]


def _answers(layout: Layout, server: str, client: str) -> bool:
    """Whether a server that asks for certificates, as all of the node do, and a client agree to speak."""
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(layout.pki / f"{_authority(server)}.crt"))
    theirs.verify_mode = ssl.CERT_REQUIRED
    theirs.load_cert_chain(layout.pki / f"{server}.crt", layout.pki / f"{server}.key")
    ours = pki.client_context(layout.pki, client)
    ours.load_verify_locations(layout.pki / f"{_authority(server)}.crt")  # to be refused, not to refuse
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    address = str(next(party.serves[0] for party in pki.PARTIES if party.file == server))
    ends = [ours.wrap_bio(down, up, server_hostname=address), theirs.wrap_bio(up, down, server_side=True)]
    agreed = set[int]()
    for _ in range(4):
        for number, end in enumerate(ends):
            try:
                end.do_handshake()
                agreed.add(number)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return agreed == {0, 1}


def _authority(party: str) -> str:
    return next(each.authority for each in pki.PARTIES if each.file == party)
