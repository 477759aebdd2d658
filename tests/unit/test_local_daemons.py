"""Daemons: with what they are started, and when they are taken for ready."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from ml_local import debian, toolchains
from ml_local.node import cgroup, commands, config, daemons, pki
from ml_local.node.daemons import Daemon
from ml_local.node.layout import Layout

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A node whose commands need not be built, and whose daemons join no control group."""
    monkeypatch.setattr(cgroup, "enter", lambda: None)
    monkeypatch.setattr(debian, "root", lambda: tmp_path / "debian")
    monkeypatch.setattr(debian, "command", lambda name: tmp_path / "debian" / "bin" / name)
    monkeypatch.setattr(toolchains, "binary", lambda name: tmp_path / "toolchains" / "bin" / name)
    return Layout(tmp_path / "state")


@pytest.fixture
def health(node: Layout) -> Iterator[str]:
    """The address of a page that answers 200 to whoever has a certificate of the node."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    pki.write(node)
    server = HTTPServer(("127.0.0.1", 0), Page)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(node.pki / "etcd-ca.crt"))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(node.pki / "etcd.crt", node.pki / "etcd.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/health"
    server.shutdown()
    server.server_close()


def test_a_health_page_of_the_node_is_asked_past_the_users_proxy(
    health: str, node: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES[:-1]:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert daemons.healthy(health, pki.client_context(node.pki, "apiserver-etcd"))


def test_a_daemon_gets_nothing_of_the_callers_environment(node: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD_OF_SOMEBODY"):
        monkeypatch.setenv(name, "of the caller")
    said = node.state / "said"
    program = f"import json, os, time; open({str(said)!r}, 'w').write(json.dumps(dict(os.environ))); time.sleep(60)"
    daemon = Daemon(
        name="curious", argv=[sys.executable, "-c", program], env={"GOGC": "50"}, ready=lambda: _is_json(said)
    )
    node.state.mkdir()
    try:
        daemons.start(node, daemon)
        daemons.wait(node, daemon)
    finally:
        daemons.stop(node, "curious", grace=1)
    environment = json.loads(said.read_text())
    assert environment.pop("GOGC") == "50"
    assert "/usr/bin" in environment.pop("PATH").split(":")
    assert "of the caller" not in environment.values()


def test_a_socket_that_a_dead_runtime_left_is_not_ready(node: Layout) -> None:
    ready = next(each.ready for each in commands.infrastructure(node) if each.name == "containerd")
    node.run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(node.containerd_socket))
        server.listen()
        assert ready()
    assert node.containerd_socket.exists()
    assert not ready()


@pytest.mark.parametrize(
    ("daemon", "file"),
    [
        ("etcd", "pki/etcd.crt"),
        ("etcd", "pki/etcd-ca.crt"),
        ("registry", "pki/registry.crt"),
        ("registry", "pki/registry-ca.crt"),
        ("registry", "config/registry.yaml"),
        ("kube-apiserver", "pki/apiserver.crt"),
        ("kube-apiserver", "pki/apiserver-etcd.crt"),
        ("kube-apiserver", "pki/service-account.pub"),
        ("kube-controller-manager", "pki/ca.key"),
        ("kube-scheduler", "pki/scheduler.key"),
        ("kubelet", "pki/kubelet.crt"),
        ("coredns", "config/coredns.kubeconfig"),
        ("kube-proxy", "config/kube-proxy.kubeconfig"),
    ],
)
def test_a_daemon_starts_anew_when_a_file_is_renewed_that_it_reads(node: Layout, daemon: str, file: str) -> None:
    pki.write(node)
    config.write(node)
    declared = [*commands.infrastructure(node), commands.api_server(node), *commands.control_plane(node)]
    found = next(each for each in declared if each.name == daemon)
    before = found.fingerprint
    (node.state / file).write_text("renewed")
    assert found.fingerprint != before


def _is_json(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text()))
    except (OSError, ValueError):
        return False
