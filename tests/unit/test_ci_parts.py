"""What CI's commands are made of: the release that is checked, new data, logins."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ml_ci import data, login, official
from ml_ci.errors import CiError

RAW = "data: # of each month\n      raw: {uri: s3://datasets/one.csv, target: a, sample: 1000} # the table\n"


STACK_FILE = f"config:\n  ml-platform:cluster: {{source: gke}}\n  ml-platform:workloads:\n    {RAW}"


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[bytes]:
    """An archive as Pulumi's are, at an address on loopback; no pulumi is on PATH."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        script = f"#!/bin/sh\necho v{official.VERSION}\n".encode()
        entry = tarfile.TarInfo("pulumi/pulumi")
        entry.size, entry.mode = len(script), 0o755
        tar.addfile(entry, io.BytesIO(script))
    content = file.getvalue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(official, "RELEASE", f"http://127.0.0.1:{server.server_port}/{{version}}-{{machine}}.tar.gz")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    yield content
    server.shutdown()
    server.server_close()


def test_the_release_is_that_of_the_sdk() -> None:
    assert version("pulumi") == official.VERSION


def test_a_release_that_is_what_was_pinned_is_installed_once(
    release: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(official, "ARCHIVES", {os.uname().machine: ("x64", hashlib.sha256(release).hexdigest())})
    for _ in range(2):
        found = official.command()
        assert found.command == str(tmp_path / "cache" / f"pulumi-{official.VERSION}" / "bin" / "pulumi")
        monkeypatch.setattr(official, "RELEASE", "http://127.0.0.1:1/gone")


@pytest.mark.usefixtures("release")
def test_another_release_is_refused_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    with pytest.raises(CiError, match="it is not the release that was pinned; run nothing"):
        official.command()
    assert list((tmp_path / "cache").glob("*")) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.gke.yaml").write_text(STACK_FILE)
    return tmp_path


def test_new_data_are_another_uri_and_nothing_else(checkout: Path) -> None:
    new = "s3://datasets/two.csv"
    assert data.edited("gke", "raw", new, checkout) == STACK_FILE.replace("s3://datasets/one.csv", f'"{new}"')


@pytest.mark.parametrize(
    ("name", "uri", "said"),
    [
        ("iris", "s3://datasets/two.csv", r"has no data 'iris' in the object store; it has raw"),
        ("raw", "two.csv", "does not do for data raw"),
        ("raw", "s3://datasets/../secret", r"--uri 's3://datasets/\.\./secret' does not do for data raw"),
        ("raw", "s3://datasets/two.csv, target: b", "does not do for data raw"),
        ("raw", "s3://datasets/two.csv}\n    namespace: other #", "does not do for data raw"),
    ],
)
def test_new_data_that_can_not_be_are_refused(checkout: Path, name: str, uri: str, said: str) -> None:
    with pytest.raises(CiError, match=said):
        data.edited("gke", name, uri, checkout)


@pytest.mark.parametrize("name", ["raw", "second", "third"])
def test_data_that_share_what_is_written_are_refused_and_no_other_block_changes(checkout: Path, name: str) -> None:
    shared = "      raw: &raw {uri: s3://datasets/one.csv}\n      second: {<<: *raw, target: b}\n      third: *raw\n"
    (checkout / "stacks/Pulumi.gke.yaml").write_text(STACK_FILE.partition("      raw:")[0] + shared)
    with pytest.raises(CiError, match=rf"data {name} of Pulumi\.gke\.yaml have their uri from an anchor"):
        data.edited("gke", name, "s3://datasets/two.csv", checkout)


def test_a_job_logs_in_to_the_clouds_that_are_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ROLE_ARN", "GCP_IDENTITY_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    assert login.log_in() == []
    token, credentials = tmp_path / "login" / "aws.token", tmp_path / "login" / "google.json"
    variables = {
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/ci",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ID_TOKEN": "for aws",
        "GCP_IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/ci/providers/gitlab",
        "GCP_SERVICE_ACCOUNT": "ci@p.iam.gserviceaccount.com",
        "GCP_ID_TOKEN": "for google",
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert login.log_in() == ["AWS", "Google"]
    assert token.read_text() == "for aws"
    found = json.loads(credentials.read_text())
    assert found["audience"] == f"//iam.googleapis.com/{variables['GCP_IDENTITY_PROVIDER']}"
    assert "ci@p.iam.gserviceaccount.com:generateAccessToken" in found["service_account_impersonation_url"]
    assert Path(found["credential_source"]["file"]).read_text() == "for google"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "login").iterdir()} == {0o600}
