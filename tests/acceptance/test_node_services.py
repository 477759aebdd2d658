"""The node's database and registry, as it starts them but on ports of their own: whom they answer."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import urllib3
from ml_local import registry
from ml_local.errors import LocalError
from ml_local.node import cgroup, commands, config, daemons, pki
from ml_local.node import layout as names
from ml_local.node.layout import LOOPBACK, Layout
from ml_local.oci_layout import Layout as Images
from ml_local.registry import Registry
from support.control_plane import free_ports


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """Both run, with certificates that name loopback too."""
    layout = Layout(tmp_path_factory.mktemp("node"))
    etcd, peer, registry = free_ports(3)
    parties = [replace(p, serves=(*p.serves, LOOPBACK)) if p.serves else p for p in pki.PARTIES]
    ports = {"etcd": (LOOPBACK, etcd), "etcd-peer": (LOOPBACK, peer), "registry": (LOOPBACK, registry)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgroup, "enter", lambda: None)
        patch.setattr(pki, "PARTIES", parties)
        patch.setattr(names, "PORTS", {**names.PORTS, **ports})
        patch.setattr(names, "ETCD_URL", f"https://{LOOPBACK}:{etcd}")
        patch.setattr(names, "REGISTRY", f"{LOOPBACK}:{registry}")
        pki.write(layout)
        config.write(layout)
        running = [each for each in commands.infrastructure(layout) if each.name in ports]
        try:
            for each in running:
                daemons.start(layout, each)
            for each in running:
                daemons.wait(layout, each)
            yield layout
        finally:
            for each in running:
                daemons.stop(layout, each.name)


def _opens(layout: Layout, server: str, party: str | None, path: str) -> bool:
    """Whether a server answers a party, or somebody without a certificate."""
    tls = ssl.create_default_context(cafile=str(layout.pki / f"{_authority(server)}.crt"))
    if party:
        tls.load_cert_chain(layout.pki / f"{party}.crt", layout.pki / f"{party}.key")
    host, port = names.PORTS[server]
    pool = urllib3.HTTPSConnectionPool(host, port, ssl_context=tls, retries=False, timeout=5)
    try:
        return pool.request("GET", path).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _authority(server: str) -> str:
    return {"etcd": "etcd-ca", "etcd-peer": "etcd-ca", "registry": "registry-ca"}[server]


@pytest.mark.parametrize(
    ("server", "party", "path"),
    [
        ("etcd", "apiserver-etcd", "/version"),
        ("etcd-peer", "etcd", "/version"),
        ("registry", "registry-client", "/v2/"),
    ],
)
def test_each_answers_those_it_is_for_and_nobody_else(node: Layout, server: str, party: str, path: str) -> None:
    assert _opens(node, server, party, path)
    for other in (None, "admin", "kubelet", "coredns"):
        assert not _opens(node, server, other, path), other


def test_images_are_pushed_with_the_registrys_own_certificate_alone(
    node: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "RETRIES", False)
    image, digest = _image(tmp_path)
    Registry(names.REGISTRY, pki.client_context(node.pki, "registry-client")).push("tiny", "1", digest, image)
    assert _opens(node, "registry", "registry-client", "/v2/tiny/tags/list")
    anybody = ssl.create_default_context(cafile=str(node.pki / "registry-ca.crt"))
    with pytest.raises(LocalError, match="does not answer"):
        Registry(names.REGISTRY, anybody).push("tiny", "2", digest, image)


def _image(folder: Path) -> tuple[Images, str]:
    """The smallest image that a registry takes: a configuration and no layer."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: object) -> dict[str, object]:
        data = json.dumps(content).encode()
        (blobs / sha256(data).hexdigest()).write_bytes(data)
        return {"digest": f"sha256:{sha256(data).hexdigest()}", "size": len(data)}

    configuration = {"mediaType": "application/vnd.oci.image.config.v1+json", **put({"architecture": "amd64"})}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    digest = put({**manifest, "config": configuration, "layers": []})["digest"]
    return Images(folder), str(digest)
