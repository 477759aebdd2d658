"""The user's login to a registry, wherever the tools keep it, and how a registry asks for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import urllib3
from ml_images import login
from ml_images.registry import Registry
from ml_local.errors import LocalError

HOST = "registry.test"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def keep(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize("path", [".docker/config.json", ".config/containers/auth.json"])
def test_a_login_of_either_tool_is_found(path: str, home: Path) -> None:
    keep(home / path, {"auths": {HOST: auth("jane:secret:with:colons")}})
    assert login.of(HOST) == login.Login(user="jane", password="secret:with:colons")
    assert login.of("other.test") is None
    assert "secret" not in repr(login.of(HOST))


def test_a_login_to_the_closest_folder_wins(home: Path) -> None:
    keep(home / ".config/containers/auth.json", {"auths": {HOST: auth("all:a"), f"{HOST}/ml": auth("ml:b")}})
    found = [login.of(HOST, path) for path in ("ml/mlflow", "web")]
    assert [each.user for each in found if each] == ["ml", "all"]


@pytest.mark.parametrize("config", [{"credsStore": "made-up"}, {"credHelpers": {HOST: "made-up"}}])
def test_a_credential_helper_is_asked(config: dict[str, Any], home: Path) -> None:
    keep(home / ".docker/config.json", {**config, "auths": {HOST: {}}})
    with pytest.raises(LocalError, match="docker-credential-made-up, which is not on PATH"):
        login.of(HOST)
    helper = home / "docker-credential-made-up"
    helper.write_text('#!/bin/sh\nread host; echo "{\\"Username\\": \\"$host\\", \\"Secret\\": \\"s\\"}"\n')
    helper.chmod(0o755)
    assert login.of(HOST) == login.Login(user=HOST, password="s")


def test_a_broken_file_of_logins_is_named(home: Path) -> None:
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{")
    with pytest.raises(LocalError, match=r"\.docker/config\.json, which has logins to registries, is not JSON"):
        login.of(HOST)


@pytest.mark.parametrize("identity", [False, True])
def test_a_registry_with_a_token_server_is_given_its_token(
    identity: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"identitytoken": "of mine"} if identity else auth("jane:secret")
    keep(home / ".docker/config.json", {"auths": {HOST: entry}})
    asked: list[tuple[str, str, Any]] = []

    def request(_: urllib3.PoolManager, method: str, url: str, **more: Any) -> urllib3.HTTPResponse:
        asked.append((method, url, more.get("fields")))
        if url.startswith("https://tokens.test"):
            return urllib3.HTTPResponse(body=b'{"access_token": "good"}', status=200)
        if more["headers"].get("Authorization") == "Bearer good":
            return urllib3.HTTPResponse(status=200, headers={"Docker-Content-Digest": "sha256:1"})
        challenge = {"WWW-Authenticate": 'Bearer realm="https://tokens.test/t",service="made-up"'}
        return urllib3.HTTPResponse(status=401, headers=challenge)

    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    assert Registry.parse(f"{HOST}/ml").digest("ml/mlflow", "1") == "sha256:1"
    method, url, fields = asked[1]
    if identity:
        assert (method, fields["refresh_token"], fields["scope"]) == ("POST", "of mine", "repository:ml/mlflow:pull")
    else:
        assert (method, "scope=repository%3Aml%2Fmlflow%3Apull" in url) == ("GET", True)
