"""What `make env` exports to the clients of this machine's platform."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path

import pytest
from ml_local import environment, toolchains
from ml_local.node.layout import Layout
from requests.utils import should_bypass_proxies

PROXY = "http://proxy.company.example:3128"


@pytest.fixture
def _behind_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose network has one, after `eval "$(make env)"`."""
    monkeypatch.setattr(toolchains, "binary", lambda name: tmp_path / name)
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, PROXY)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intranet.company.example, 192.0.2.7")
    for name, value in environment.variables(Layout(tmp_path)).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_behind_a_proxy")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost", "iris-predictor.models.localhost:8080", "10.98.0.1:6443", "192.0.2.7",
     "git.intranet.company.example"],
)  # fmt: skip
def test_the_nodes_addresses_and_the_users_own_exceptions_are_asked_past_the_proxy(host: str) -> None:
    assert urllib.request.proxy_bypass(host)
    assert should_bypass_proxies(f"http://{host}/", no_proxy=None)


@pytest.mark.usefixtures("_behind_a_proxy")
def test_everything_else_is_asked_through_the_users_proxy() -> None:
    assert urllib.request.getproxies()["https"] == PROXY
    assert not urllib.request.proxy_bypass("pypi.example")
    assert not should_bypass_proxies("https://pypi.example/", no_proxy=None)


@pytest.mark.usefixtures("_behind_a_proxy")
@pytest.mark.parametrize("name", ["DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "PULUMI_SKIP_UPDATE_CHECK"])
def test_no_client_reports_to_its_makers(name: str) -> None:
    assert os.environ[name] == "true"
