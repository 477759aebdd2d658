"""What a kubeconfig may hold, and what the error says when it does not hold it."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from ml_platform.kube.kubeconfig import Connection, KubeconfigError, default_kubeconfig

pytestmark = pytest.mark.unit


def document(user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "near", "user": "me", "namespace": "mine"}},
            {"name": "there", "context": {"cluster": "far", "user": "me"}},
        ],
        "clusters": [
            {"name": "near", "cluster": {"server": "https://near:6443/", **(cluster or {})}},
            {"name": "far", "cluster": {"server": "https://far:6443"}},
        ],
        "users": [{"name": "me", "user": user or {}}],
    }


def connect(user: dict[str, Any] | None = None, **choice: str) -> Connection:
    return Connection.from_kubeconfig(json.dumps(document(user)), **choice)


def test_the_current_context_decides() -> None:
    assert (connect().server, connect().namespace) == ("https://near:6443", "mine")


def test_a_context_or_cluster_can_be_chosen() -> None:
    assert (connect(context="there").server, connect(context="there").namespace) == (
        "https://far:6443",
        "default",
    )
    assert connect(cluster="far").server == "https://far:6443"


def test_yaml_and_paths_are_read_too(tmp_path: Path) -> None:
    text = """
    current-context: c
    contexts: [{name: c, context: {cluster: k}}]
    clusters: [{name: k, cluster: {server: http://h}}]
    """
    assert Connection.from_kubeconfig(text).server == "http://h"
    (tmp_path / "config").write_text(text)
    assert Connection.from_kubeconfig(str(tmp_path / "config")).server == "http://h"


@pytest.mark.parametrize(
    ("kubeconfig", "message"),
    [
        ("/no/such/file", "no kubeconfig at /no/such/file"),
        ("{}", "not a mapping with clusters"),
        ("a: [\nb: [\n", "neither JSON nor YAML"),
        (json.dumps(document() | {"current-context": "gone"}), "no context 'gone' \\(there: here, there\\)"),
        (
            json.dumps({"clusters": [{"name": "c", "cluster": {"server": "x"}}]}),
            "no context None \\(there: none\\)",
        ),
    ],
)
def test_what_is_missing_is_named(kubeconfig: str, message: str) -> None:
    with pytest.raises(KubeconfigError, match=message):
        Connection.from_kubeconfig(kubeconfig)


def test_credentials_become_headers(tmp_path: Path) -> None:
    assert connect({"token": "abc"}).user.headers() == {"Authorization": "Bearer abc"}
    (tmp_path / "token").write_text("from-file\n")
    assert connect({"tokenFile": str(tmp_path / "token")}).user.headers() == {"Authorization": "Bearer from-file"}
    basic = base64.b64encode(b"a:b").decode()
    assert connect({"username": "a", "password": "b"}).user.headers() == {"Authorization": f"Basic {basic}"}
    assert connect().user.headers() == {}


@pytest.mark.parametrize(
    ("user", "cluster", "said"),
    [
        ({"tokenFile": "/nowhere"}, {}, "tokenFile /nowhere can't be read: No such file"),
        ({"client-certificate": "/nowhere", "client-key": "/nowhere"}, {}, "client-certificate /nowhere can't be read"),
        ({"client-certificate-data": "QQ==", "client-key-data": "QQ=="}, {}, "client-certificate and client-key don't"),
        ({}, {"certificate-authority": "/nowhere"}, "certificate-authority /nowhere can't be read"),
        ({}, {"certificate-authority-data": "QQ=="}, "certificate-authority is no certificate"),
        ({}, {"certificate-authority-data": "Q"}, "certificate-authority-data is not base64"),
    ],
)
def test_what_can_not_be_used_is_named(user: dict[str, str], cluster: dict[str, str], said: str) -> None:
    connection = Connection.from_kubeconfig(json.dumps(document(user, cluster)))
    with pytest.raises(KubeconfigError, match=said):
        (connection.ssl_context(), connection.user.headers())


def test_an_exec_plugin_is_asked_once_until_its_token_is_refused(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text(
        '#!/bin/sh\necho x >> "$COUNT"\nprintf \'{"status": {"token": "t%s"}}\' "$(wc -l < $COUNT | tr -d \' \')"\n'
    )
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    spec = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "env": [{"name": "COUNT", "value": str(tmp_path / "count")}],
    }
    user = connect({"exec": spec}).user
    assert user.headers() == user.headers() == {"Authorization": "Bearer t1"}
    assert user.forget()
    assert user.headers() == {"Authorization": "Bearer t2"}


def test_a_missing_exec_plugin_is_named_with_its_hint() -> None:
    spec = {"apiVersion": "v1", "command": "no-such-plugin", "installHint": "install it"}
    with pytest.raises(KubeconfigError, match=r"no-such-plugin gave no credential.*install it"):
        connect({"exec": spec}).user.headers()


def test_the_legacy_auth_provider_is_refused() -> None:
    with pytest.raises(KubeconfigError, match="auth-provider 'gcp' was removed"):
        connect({"auth-provider": {"name": "gcp"}})


def test_the_default_kubeconfig_is_kubectls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{tmp_path / 'present'}")
    with pytest.raises(KubeconfigError, match="absent"):
        default_kubeconfig()
    (tmp_path / "present").write_text("{}")
    assert default_kubeconfig() == str(tmp_path / "present")
